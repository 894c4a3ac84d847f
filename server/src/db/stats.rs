//! What a lane tells of itself.

/// How a lane is doing, counted since the process began where it is a count.
#[derive(Debug, Clone, PartialEq)]
pub struct LaneStats {
    /// Its login role.
    pub lane: String,
    /// The node it leads to.
    pub node: String,
    /// Most connections it may have.
    pub width: u32,
    /// Connections it has.
    pub open: u32,
    /// Connections at work.
    pub in_use: u32,
    /// Requests that wait for one.
    pub waiting: u32,
    /// Connections given to requests.
    pub acquired: u64,
    /// What all of them waited for, seconds.
    pub waited_seconds: f64,
    /// How many waited no longer than each upper bound in seconds, cumulative, in rising order.
    pub wait_buckets: Vec<(f64, u64)>,
    /// Requests that waited in vain.
    pub timed_out: u64,
    /// Requests turned away because their tenant was at its cap.
    pub refused_by_cap: u64,
    /// Connections replaced because they had served enough tenants.
    pub recycled: u64,
    /// Statements found prepared.
    pub statement_hits: u64,
    /// Statements that had to be prepared.
    pub statement_misses: u64,
    /// Statements that lie prepared on all its connections.
    pub statements_cached: u64,
}
