//! Those who follow a dealer's events live.

use std::time::Duration;

use serde::Deserialize;
use validator::Validate;

/// Streams of events.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct Live {
    /// How long events are kept, days.
    #[validate(range(min = 1, max = 3650))]
    pub retention_days: u32,
    /// Events that are kept in memory for the followers of one dealer.
    #[validate(range(min = 1, max = 65536))]
    pub buffer: usize,
    /// After this long without news a stream says that it is still there, seconds.
    #[validate(range(min = 1, max = 300))]
    pub heartbeat_seconds: u64,
    /// Whoever takes nothing of what there is to say for so long is given up, seconds.
    #[validate(range(min = 1, max = 600))]
    pub stalled_seconds: u64,
    /// How often a dealer that is followed is looked at, whatever was heard, milliseconds.
    #[validate(range(min = 50, max = 1500))]
    pub look_ms: u64,
    /// What streams tell browsers of how long to wait before they come again, milliseconds.
    #[validate(range(min = 10, max = 60000))]
    pub retry_ms: u64,
    /// Streams of one member or API key, in one process.
    #[validate(range(min = 1, max = 100000))]
    pub streams_per_follower: usize,
    /// Streams of one dealer, in one process.
    #[validate(range(min = 1, max = 100000))]
    pub streams_per_dealer: usize,
    /// Streams of one process.
    #[validate(range(min = 1, max = 1000000))]
    pub streams: usize,
}

impl Live {
    /// After this long without news a stream says that it is still there.
    pub fn heartbeat(&self) -> Duration {
        Duration::from_secs(self.heartbeat_seconds)
    }

    /// Whoever takes nothing for so long is given up.
    pub fn stalled(&self) -> Duration {
        Duration::from_secs(self.stalled_seconds)
    }

    /// How often a dealer that is followed is looked at.
    pub fn look_every(&self) -> Duration {
        Duration::from_millis(self.look_ms)
    }
}
