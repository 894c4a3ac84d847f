//! Budgets of this process alone, for while Redis is away.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use moka::sync::Cache;
use time::OffsetDateTime;

use super::budget::{Budget, Charged, Verdict};

/// Budgets remembered; past it the least used go first.
const REMEMBERED: u64 = 100_000;
/// A budget that nobody asks about for so long is full again, unless its burst is many times its
/// rate; forgetting it then is on its owner's side.
const KEPT: Duration = Duration::from_secs(600);

/// The moments that budgets remember.
#[derive(Clone)]
pub(super) struct Local {
    /// One at a time: a request is charged against all of its budgets or none, and it takes less
    /// than a microsecond.
    moments: Arc<Mutex<Cache<String, i64>>>,
    /// Processes that share every budget.
    processes: u32,
}

impl Local {
    pub(super) fn with_share_of(processes: u32) -> Self {
        let moments = Cache::builder()
            .max_capacity(REMEMBERED)
            .time_to_idle(KEPT)
            .build();
        Self {
            moments: Arc::new(Mutex::new(moments)),
            processes: processes.max(1),
        }
    }

    pub(super) fn charge(&self, budgets: &[&Budget], now: OffsetDateTime) -> Verdict {
        let now_us = i64::try_from(now.unix_timestamp_nanos() / 1000).unwrap_or(i64::MAX / 2);
        let moments = self.moments.lock().unwrap_or_else(PoisonError::into_inner);
        let shares = budgets.iter().map(|budget| self.share(budget));
        let steps: Vec<_> = shares
            .map(|share| {
                let step = share.pace().step(moments.get(&share.key), now_us);
                (share, step)
            })
            .collect();
        let is_refused = steps.iter().any(|(_, step)| step.over_us > 0);
        let charged = steps.into_iter().map(|(share, step)| {
            if is_refused {
                return Charged::of(&share, step.used_us, step.over_us);
            }
            let charged = Charged::of(&share, step.next_us - now_us, 0);
            moments.insert(share.key, step.next_us);
            charged
        });
        Verdict(charged.collect())
    }

    /// This process's part of a budget; it never is nothing.
    fn share(&self, budget: &Budget) -> Budget {
        Budget {
            per_minute: (budget.per_minute / self.processes).max(1),
            burst: (budget.burst / self.processes).max(1),
            ..budget.clone()
        }
    }
}

impl std::fmt::Debug for Local {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Local")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(key: &str, per_minute: u32, burst: u32) -> Budget {
        Budget {
            name: "test",
            key: key.to_owned(),
            per_minute,
            burst,
            cost: 1,
        }
    }

    #[test]
    fn what_one_budget_refuses_is_charged_against_none() {
        let local = Local::with_share_of(1);
        let (wide, narrow) = (budget("wide", 60, 10), budget("narrow", 60, 1));
        let now = OffsetDateTime::UNIX_EPOCH;
        assert_eq!(local.charge(&[&wide, &narrow], now).wait(), None);

        let refused = local.charge(&[&wide, &narrow], now);
        let alone = local.charge(&[&wide], now);

        assert_eq!(refused.wait(), Some(1));
        assert_eq!(refused.tightest().map(|charged| charged.quota), Some(1));
        assert_eq!(alone.0[0].left, 8); // the first and this one, not the refused
    }

    #[test]
    fn a_process_has_its_share_and_never_nothing() {
        let (local, now) = (Local::with_share_of(4), OffsetDateTime::UNIX_EPOCH);
        let (many, one) = (budget("many", 60, 8), budget("one", 1, 1));

        assert_eq!(local.charge(&[&many], now).0[0].quota, 2);
        assert_eq!(local.charge(&[&one], now).wait(), None);
        assert_eq!(local.charge(&[&one], now).wait(), Some(60));
    }
}
