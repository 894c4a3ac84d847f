//! API keys: what machines prove themselves with.
//!
//! Invariants: a key is shown once and kept as a keyed hash; it may never do more than whoever made
//! it may do at that moment; it manages neither keys nor roles nor how people sign in; whoever
//! gets to see a key is the one it belongs to.

mod error;
pub mod http;
mod service;
mod usage;
mod wire;

pub use error::KeyError;
