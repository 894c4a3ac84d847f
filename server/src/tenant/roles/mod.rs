//! Roles: the built-in ones, which are what they are, and those of the dealer's own making.
//!
//! Invariants: a role allows only what is in the catalogue; nobody gives what they don't hold
//! themselves, nor changes a role that allows more than that; a role that somebody has stays.

mod error;
mod grants;
pub mod http;
mod service;
mod wire;

pub use error::RoleError;
pub use grants::{GrantIn, GrantOut, granted};
pub use service::all_with_grants;
