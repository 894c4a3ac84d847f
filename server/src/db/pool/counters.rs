//! What a pool has done, for whoever measures.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Upper bounds of the waits that are told apart, microseconds.
const BOUNDS_US: [u64; 9] = [
    100, 500, 1_000, 5_000, 10_000, 50_000, 100_000, 500_000, 1_000_000,
];

/// Counted without a lock; the numbers of one look may be of slightly different moments.
#[derive(Default)]
pub(super) struct Counters {
    acquired: AtomicU64,
    waited_us: AtomicU64,
    /// How many waits ended below each bound, and above all of them.
    waits: [AtomicU64; BOUNDS_US.len() + 1],
    timed_out: AtomicU64,
    recycled: AtomicU64,
    statement_hits: AtomicU64,
    statement_misses: AtomicU64,
    statements: AtomicU64,
}

/// What a pool holds now and has done since it was made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::db) struct PoolStats {
    pub open: u32,
    pub in_use: u32,
    pub waiting: u32,
    pub acquired: u64,
    pub waited: Duration,
    /// Upper bound and how many waits were not longer.
    pub wait_buckets: Vec<(Duration, u64)>,
    pub timed_out: u64,
    pub recycled: u64,
    pub statement_hits: u64,
    pub statement_misses: u64,
    pub statements_cached: u64,
}

impl Counters {
    pub(super) fn waited(&self, wait: Duration) {
        let wait_us = u64::try_from(wait.as_micros()).unwrap_or(u64::MAX);
        self.acquired.fetch_add(1, Relaxed);
        self.waited_us.fetch_add(wait_us, Relaxed);
        let bucket = BOUNDS_US.partition_point(|bound| *bound < wait_us);
        self.waits[bucket].fetch_add(1, Relaxed);
    }

    pub(super) fn count_a_timeout(&self) {
        self.timed_out.fetch_add(1, Relaxed);
    }

    pub(super) fn count_a_recycling(&self) {
        self.recycled.fetch_add(1, Relaxed);
    }

    pub(super) fn count_a_statement(&self, is_hit: bool, added: usize) {
        let counter = if is_hit {
            &self.statement_hits
        } else {
            &self.statement_misses
        };
        counter.fetch_add(1, Relaxed);
        self.statements.fetch_add(added as u64, Relaxed);
    }

    pub(super) fn forget_statements(&self, gone: usize) {
        self.statements.fetch_sub(gone as u64, Relaxed);
    }

    pub(super) fn stats(&self, open: usize, in_use: usize, waiting: usize) -> PoolStats {
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let mut so_far = 0;
        let bounds = BOUNDS_US.iter().zip(&self.waits);
        let wait_buckets = bounds
            .map(|(bound, waits)| {
                so_far += waits.load(Relaxed);
                (Duration::from_micros(*bound), so_far)
            })
            .collect();
        PoolStats {
            open: count(open),
            in_use: count(in_use),
            waiting: count(waiting),
            acquired: self.acquired.load(Relaxed),
            waited: Duration::from_micros(self.waited_us.load(Relaxed)),
            wait_buckets,
            timed_out: self.timed_out.load(Relaxed),
            recycled: self.recycled.load(Relaxed),
            statement_hits: self.statement_hits.load(Relaxed),
            statement_misses: self.statement_misses.load(Relaxed),
            statements_cached: self.statements.load(Relaxed),
        }
    }
}
