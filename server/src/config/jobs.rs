//! How background work is done.

use std::time::Duration;

use serde::Deserialize;
use validator::Validate;

/// How background work is done.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct Jobs {
    /// Whether a process that serves requests does background work, too.
    pub inside: bool,
    /// Short jobs at once, in one worker.
    #[validate(range(min = 1, max = 1000))]
    pub quick_slots: u32,
    /// Long jobs at once, in one worker.
    #[validate(range(min = 1, max = 100))]
    pub bulk_slots: u32,
    /// Short jobs of one dealer at once, with all workers.
    #[validate(range(min = 1, max = 1000))]
    pub tenant_quick: u32,
    /// Long jobs of one dealer at once, with all workers.
    #[validate(range(min = 1, max = 100))]
    pub tenant_bulk: u32,
    /// How long a worker may be silent before its jobs are somebody else's, milliseconds.
    #[validate(range(min = 500, max = 3600000))]
    pub lease_ms: u64,
    /// How often a worker that hears nothing looks for jobs, milliseconds.
    #[validate(range(min = 10, max = 60000))]
    pub poll_ms: u64,
    /// Time for jobs under way when a worker is asked to stop, seconds.
    #[validate(range(max = 3600))]
    pub drain_seconds: u64,
    /// How long a dead letter is kept, days.
    #[validate(range(min = 1, max = 3650))]
    pub dead_days: u32,
    /// Threads of a worker that jobs run on.
    #[validate(range(min = 1, max = 64))]
    pub threads: usize,
}

impl Jobs {
    /// How long a worker may be silent.
    pub fn lease(&self) -> Duration {
        Duration::from_millis(self.lease_ms)
    }

    /// How often it looks by itself.
    pub fn poll(&self) -> Duration {
        Duration::from_millis(self.poll_ms)
    }

    /// Time to come to an end.
    pub fn drain(&self) -> Duration {
        Duration::from_secs(self.drain_seconds)
    }
}
