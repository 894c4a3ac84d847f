//! What happened, for whoever follows it: told in the transaction in which it came to be true.
//!
//! Invariants: an event is there if its transaction committed, and not otherwise; ids increase in the
//! order in which events became visible; a change that the catalogue knows is told by the one
//! statement that puts it on record, so none is forgotten. Events are thin: they say what changed and
//! where to look, so that nobody learns from one what a request would not have shown them. It imports
//! no domain.

mod catalogue;
mod not_told;
mod outbox;
mod record;
mod schema;
mod topic;

pub use catalogue::{CATALOGUE, EventKind, NOTIFICATION_CREATED, kind_named, kind_of_action};
pub use not_told::NOT_TOLD;
pub use outbox::{Deliver, Message, deliver};
pub use record::{Event, publish, publish_live, record};
pub use topic::Topic;
