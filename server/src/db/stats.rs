//! What a lane holds and has done, for whoever measures.

use std::time::Duration;

/// One lane of this process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaneStats {
    /// Its login role.
    pub lane: String,
    /// The node it leads to.
    pub node: String,
    /// Connections it may have.
    pub width: u32,
    /// Connections it has.
    pub open: u32,
    /// Of these, how many are in use.
    pub in_use: u32,
    /// Requests that wait for one.
    pub waiting: u32,
    /// Connections that were given out.
    pub acquired: u64,
    /// How long it took to get them, in sum.
    pub waited: Duration,
    /// Upper bounds, and how many waits were not longer.
    pub wait_buckets: Vec<(Duration, u64)>,
    /// Requests that gave up waiting for a connection or for the start of their transaction.
    pub timed_out: u64,
    /// Connections that were replaced because they had served many dealers.
    pub recycled: u64,
    /// Statements that were prepared already.
    pub statement_hits: u64,
    /// Statements that had to be prepared.
    pub statement_misses: u64,
    /// Statements that are prepared now, on all connections.
    pub statements_cached: u64,
}
