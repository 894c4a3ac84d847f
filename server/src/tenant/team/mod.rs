//! The dealer's people: signing in, staying signed in, signing out.
//!
//! Invariants: a refresh token works once; reuse of a replaced one ends its session; whoever
//! asks learns nothing about which addresses exist.

mod account;
mod arrival;
mod assignment;
mod credentials;
mod error;
pub mod http;
mod invitations;
mod members;
mod name;
mod reach;
pub mod sessions;
mod switch;

pub use error::TeamError;
pub(in crate::tenant) use switch::remember;
