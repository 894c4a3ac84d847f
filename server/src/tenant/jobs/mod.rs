//! A dealer's background work, as its admins see it.
//!
//! Invariants: nobody sees or touches another dealer's jobs; what a job carries is shown to those
//! alone who may also retry and discard it; a job that dies is told, and whatever waited for it ends
//! in the same transaction.

mod aftermath;
mod error;
pub mod http;
mod service;
mod store;
mod wire;

pub use aftermath::register;
pub use error::JobsError;
