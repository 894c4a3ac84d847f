//! What a dealer decides about its own door.
//!
//! Invariant: a web page of another origin may ask the dealer's API only while its origin stands
//! in the list, spelled exactly as browsers send it.

mod correspondence;
mod error;
pub mod http;
mod service;

pub use error::SettingError;
