//! Canaries: dealers that hold the same ids and SKUs, each with a marker word of its own, under
//! mixed traffic. No marker may ever turn up at another dealer's.
//!
//! What is asked next follows from a seed and the request's number alone, so that a run can be
//! repeated; what happens at the same time does not.

mod aftermath;
mod background;
mod dice;
mod disturb;
mod ears;
mod errand;
mod flock;
mod marker;
mod quiet;
mod report;
mod target;
mod traffic;

pub use dice::Dice;
pub use disturb::{Disturbance, Disturber};
pub use ears::Ears;
pub use flock::{Canary, Flock};
pub use quiet::Quiet;
pub use report::Report;
pub use target::Target;
pub use traffic::{Options, run};
