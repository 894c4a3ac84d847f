//! What members are told: in the app, by mail at once, or once a day in one message.
//!
//! Invariants: somebody is told in the transaction in which it came to be true, and not otherwise;
//! a member sees their own only; what is about the safety of an account is always told, by mail and
//! in the app, whatever the member prefers. It imports no domain, and any may tell.

mod digest;
mod error;
pub mod http;
mod kind;
mod service;
mod store;
mod telling;
mod wire;

pub use digest::{SendDigest, register, send_digests};
pub use error::NotificationError;
pub use kind::{ByMail, Kind};
pub use service::sweep;
pub use telling::{Audience, Notice, notify};
