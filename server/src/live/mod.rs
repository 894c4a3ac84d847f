//! Takes what happens to those who follow it, as long as they may.
//!
//! Invariants: each follower is told every event that they may hear of, once, in the order of the
//! log, from where they left off; nobody is told of anything that came after they lost the right to
//! it, because who may is read by the same statement as the events; nobody's slowness costs memory;
//! dealers whom nobody follows cost nothing. It knows no HTTP and imports no domain.

mod follower;
mod hub;
mod log;
mod reader;
mod seats;
mod tally;
mod told;
mod view;

pub use follower::{Follower, Wanted};
pub use hub::Hub;
pub use log::{Page, read_page};
pub use seats::NoSeat;
pub use tally::{Ending, Medium, Tally};
pub use told::{Missed, Saying, Told, Why};
pub use view::{Ask, View};
