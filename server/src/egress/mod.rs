//! The way out to addresses that dealers name. It knows the network and how far it may be gone, and
//! neither requests of ours nor rows.
//!
//! A dealer says where, so nothing is trusted: only addresses of the internet are reached, and they
//! are judged where the connection is made, after the name was looked up; no redirect is followed,
//! no long answer read, and nobody waited for.

mod address;
mod breaker;
mod names;
mod places;
mod post;
mod reach;

pub use breaker::Breakers;
pub use names::Names;
pub use places::{Place, Places};
pub use post::{Answer, Egress, Letter, Trouble};
pub use reach::{Forbidden, Reach};
