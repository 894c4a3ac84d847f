//! The dealer's look at its own audit trail: searched, read, taken out.
//!
//! Invariants: nobody sees records of people they don't reach over; what somebody may not see of a
//! thing they don't see of its records either; whoever takes out the trail is in it.

mod error;
mod export;
pub mod http;
mod model;
mod service;
mod store;
mod wire;
