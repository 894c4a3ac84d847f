//! The rule that budgets are kept by: the generic cell rate algorithm, in whole microseconds.
//!
//! A budget remembers one moment, at which nothing of it would be used any more. A request moves
//! it on, and may not move it further ahead of now than the burst allows.

/// Microseconds of a minute.
const MINUTE_US: i64 = 60_000_000;

/// How fast a budget comes back, and what a request takes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pace {
    /// In which one request comes back, microseconds.
    pub(super) every_us: i64,
    /// In which the whole burst comes back, microseconds.
    pub(super) tolerance_us: i64,
    /// In which what this request takes comes back, microseconds.
    pub(super) cost_us: i64,
}

/// What a request would do to a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    /// The moment to be remembered, should it be served.
    pub(super) next_us: i64,
    /// What is used of the budget without it.
    pub(super) used_us: i64,
    /// What is missing; above nothing it can't be served.
    pub(super) over_us: i64,
}

impl Pace {
    /// A request that costs more than the whole burst takes the whole burst: it could never be
    /// served otherwise.
    pub(super) fn of(per_minute: u32, burst: u32, cost: u32) -> Self {
        let every_us = (MINUTE_US / i64::from(per_minute.max(1))).max(1);
        let burst = burst.max(1);
        Self {
            every_us,
            tolerance_us: every_us * i64::from(burst),
            cost_us: every_us * i64::from(cost.clamp(1, burst)),
        }
    }

    /// What a request does now to a budget that remembers `kept_us`. A moment further ahead than
    /// the burst allows was kept under another configuration or another clock, and is cut.
    pub(super) fn step(self, kept_us: Option<i64>, now_us: i64) -> Step {
        let latest_us = now_us + self.tolerance_us;
        let from_us = kept_us.unwrap_or(now_us).clamp(now_us, latest_us);
        let next_us = from_us + self.cost_us;
        Step {
            next_us,
            used_us: from_us - now_us,
            over_us: next_us - latest_us,
        }
    }

    /// Requests that may be made while this much is used.
    pub(super) fn left(self, used_us: i64) -> u64 {
        let free_us = (self.tolerance_us - used_us).max(0);
        u64::try_from(free_us / self.every_us).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_may_be_used_at_once_and_comes_back_evenly() {
        let pace = Pace::of(60, 3, 1); // one a second, three at once
        let mut kept = None;
        for left in [2, 1, 0] {
            let step = pace.step(kept, 0);
            assert!(step.over_us <= 0);
            kept = Some(step.next_us);
            assert_eq!(pace.left(step.next_us), left);
        }

        assert_eq!(pace.step(kept, 0).over_us, 1_000_000);
        assert_eq!(pace.step(kept, 400_000).over_us, 600_000);
        assert!(pace.step(kept, 1_000_000).over_us <= 0);
        assert_eq!(pace.step(kept, 9_000_000).used_us, 0);
    }

    #[test]
    fn what_costs_more_than_the_burst_takes_all_of_it() {
        let pace = Pace::of(60, 3, 50);

        let step = pace.step(None, 0);

        assert!(step.over_us <= 0);
        assert_eq!(pace.left(step.next_us), 0);
    }

    #[test]
    fn a_moment_from_another_time_does_not_lock_anybody_out() {
        let pace = Pace::of(60, 3, 1);

        let step = pace.step(Some(i64::MAX / 2), 0);

        assert_eq!(step.over_us, 1_000_000);
    }
}
