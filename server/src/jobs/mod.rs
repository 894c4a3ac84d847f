//! Background work: handed over in the transaction that wants it done, and done by workers.
//!
//! Invariants: a job is there if its transaction committed, and not otherwise; it is done at least
//! once, and what it does in its tenant's rows commits together with its end, so that this happens
//! exactly once; whoever was stopped past its lease can't commit; one tenant's jobs don't keep
//! another's waiting; no job dies unheard: what is left to do then is a job, too. The database keeps
//! all of it: [`crate::db::Ledger`] is the door to it, and the bell only says when to look.

mod aftermath;
mod attempt;
mod backoff;
mod books;
mod census;
mod claim;
mod enqueue;
mod error;
mod job;
mod node;
mod registry;
mod running;
mod schedule;
mod settle;
mod stats;
mod task;
mod tend;
mod worker;

pub use aftermath::{Aftermath, Death, Hooks};
pub use books::{
    Letter, LetterPlace, Letters, Overview, Pause, Summary, discard, letters, overview, pause,
    resume, retry,
};
pub use claim::Claimed;
pub use enqueue::{Enqueue, enqueue};
pub use error::JobError;
pub use job::{Job, Opens, Queue, Retry};
pub use registry::{Handled, Registry};
pub use schedule::Whose;
pub use stats::{Depth, Ended, KindStats, Stats, Times};
pub use task::{Outcome, Task};
pub use worker::Worker;
