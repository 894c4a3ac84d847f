//! The audit trail: one record for every write, in the transaction of the write, chained by hashes.
//!
//! Invariants: whoever writes a dealer's rows for a request appends exactly one record; records are
//! only ever added; each record's hash covers the one before. It imports no domain.

mod append;
mod change;
mod checkpoint;
mod redact;
mod stamp;

pub use append::{Telling, append};
pub use change::Change;
pub use checkpoint::checkpoint;
pub use stamp::{Actor, Stamp};
