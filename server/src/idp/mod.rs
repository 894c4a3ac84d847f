//! Identity providers: OpenID Connect as whoever relies on it speaks it. It knows the network and
//! the protocol, and neither HTTP requests of ours nor rows.
//!
//! A dealer's admin says where a provider is, so nothing it names is trusted: no address of ours is
//! asked, no redirect followed, no long answer read, and nobody waited for.

mod egress;
mod error;
mod identity;
mod known;

pub use error::IdpError;
pub use identity::{Departure, Identity, Registration, Return};
pub use known::IdentityProviders;
