//! How many tenants a worker takes at once.

use std::time::Duration;

/// Tenants in one message at most. Together they are cheaper, and all of them are locked until the
/// last one is done.
const MOST_AT_ONCE: u32 = 16;

/// How long tenants of one message may be locked together.
const LOCKED_FOR: Duration = Duration::from_millis(10);

/// Tenants that a worker takes from the run at once at most.
const MOST_IN_HAND: u32 = 64;

/// How long what a worker has in hand may take: others wait for it at the end, and so does whoever
/// says stop.
const IN_HAND_FOR: Duration = Duration::from_millis(250);

/// How many tenants are taken at once, by how long the last ones took.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// In one message.
    pub(super) together: u32,
    /// From the run.
    pub(super) in_hand: u32,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            together: 1,
            in_hand: 1,
        }
    }
}

impl Pace {
    /// As many as are locked together for no longer than they may be.
    pub(super) fn locked(&mut self, took: Duration, count: u32) {
        let fit = fitting(LOCKED_FOR, took, count);
        self.together = fit.clamp(1, MOST_AT_ONCE).min(self.together * 2);
    }

    /// As many as are over soon.
    pub(super) fn took(&mut self, took: Duration, count: u32) {
        let fit = fitting(IN_HAND_FOR, took, count);
        self.in_hand = fit.clamp(1, MOST_IN_HAND).min(self.in_hand * 4);
    }
}

/// How many fit into a time, if `count` took so long.
fn fitting(time: Duration, took: Duration, count: u32) -> u32 {
    let each = (took / count.max(1)).as_micros().max(1);
    u32::try_from(time.as_micros() / each).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fast_tenants_go_together_and_slow_ones_alone() {
        let mut pace = Pace::default();
        for _ in 0..10 {
            pace.locked(Duration::from_micros(500), 1);
            pace.took(Duration::from_millis(1), 1);
        }
        assert_eq!((pace.together, pace.in_hand), (MOST_AT_ONCE, MOST_IN_HAND));

        pace.locked(Duration::from_secs(1), 1);
        pace.took(Duration::from_secs(1), 1);
        assert_eq!((pace.together, pace.in_hand), (1, 1));
    }
}
