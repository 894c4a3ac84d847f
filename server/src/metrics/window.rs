//! What tenants asked for since it was last told: for the directory, which is told every few
//! seconds. Holds no more than the tenants of one window.

use std::collections::HashMap;
use std::time::Duration;

use crate::kernel::TenantKey;

/// Eight classes for each doubling, so that a time is told an eighth too high at most.
const CLASSES_PER_DOUBLING: u32 = 8;
/// The longest time that is told apart, as a power of two: 131 seconds in milliseconds.
const LONGEST: u32 = 17;
const CLASSES: usize = (CLASSES_PER_DOUBLING * (LONGEST - 2)) as usize;

/// Whether a request failed by our fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failed {
    ByUs,
    No,
}

/// Requests of one tenant in a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traffic {
    /// How many.
    pub requests: u64,
    /// How many failed by our fault.
    pub failures: u64,
    /// The 99th percentile of their times, milliseconds.
    pub slow_ms: u64,
}

/// The requests of all tenants since the window was opened.
#[derive(Debug, Default)]
pub(super) struct Window(HashMap<TenantKey, Tally>);

#[derive(Debug)]
struct Tally {
    requests: u64,
    failures: u64,
    /// How many fell into each class of times.
    times: Box<[u32; CLASSES]>,
}

impl Window {
    /// Counts a request of a tenant.
    pub(super) fn served(&mut self, tenant: TenantKey, took: Duration, failed: Failed) {
        let tally = self.0.entry(tenant).or_insert_with(|| Tally {
            requests: 0,
            failures: 0,
            times: Box::new([0; CLASSES]),
        });
        tally.requests += 1;
        tally.failures += u64::from(failed == Failed::ByUs);
        tally.times[class_of(took)] += 1;
    }

    /// Closes the window and opens the next.
    pub(super) fn taken(&mut self) -> Self {
        std::mem::take(self)
    }

    /// What each tenant asked for.
    pub(super) fn told(self) -> Vec<(TenantKey, Traffic)> {
        self.0
            .into_iter()
            .map(|(tenant, tally)| {
                let traffic = Traffic {
                    requests: tally.requests,
                    failures: tally.failures,
                    slow_ms: slow_ms(&tally),
                };
                (tenant, traffic)
            })
            .collect()
    }
}

/// Milliseconds up to 7 have classes of their own, then each doubling has eight.
fn class_of(took: Duration) -> usize {
    let longest = (1_u64 << LONGEST) - 1;
    let ms = u64::try_from(took.as_millis()).map_or(longest, |ms| ms.min(longest));
    let doublings = ms.max(1).ilog2();
    let class = if doublings < 3 {
        ms
    } else {
        let within = (ms >> (doublings - 3)) & u64::from(CLASSES_PER_DOUBLING - 1);
        u64::from(CLASSES_PER_DOUBLING * (doublings - 2)) + within
    };
    usize::try_from(class).unwrap_or(CLASSES - 1)
}

/// The longest time of a class, milliseconds.
fn longest_of(class: usize) -> u64 {
    let class = class as u64;
    let per_doubling = u64::from(CLASSES_PER_DOUBLING);
    if class < per_doubling {
        return class;
    }
    let shift = class / per_doubling - 1;
    ((per_doubling + class % per_doubling + 1) << shift) - 1
}

fn slow_ms(tally: &Tally) -> u64 {
    // The last of the fastest 99 %, counted from one.
    let rank = (tally.requests * 99).div_ceil(100);
    let mut counted = 0;
    for (class, count) in tally.times.iter().enumerate() {
        counted += u64::from(*count);
        if counted >= rank {
            return longest_of(class);
        }
    }
    longest_of(CLASSES - 1)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn every_time_falls_into_a_class_that_ends_an_eighth_later_at_most() {
        for time in (0..10_000).chain([65_535, 65_536, 100_000, 131_071]) {
            let longest = longest_of(class_of(ms(time)));
            assert!(
                longest >= time && longest <= time + time / 8,
                "{time}: {longest}"
            );
        }
        assert_eq!(class_of(Duration::MAX), CLASSES - 1);
        assert_eq!(longest_of(CLASSES - 1), 131_071);
    }

    #[test]
    fn one_request_in_a_hundred_may_be_slower_than_what_is_told() {
        let mut window = Window::default();
        let tenant = TenantKey::of(Uuid::from_u128(1));
        for number in 0..200 {
            let failed = if number < 3 { Failed::ByUs } else { Failed::No };
            window.served(tenant, ms(if number < 2 { 5_000 } else { 4 }), failed);
        }
        let quiet = TenantKey::of(Uuid::from_u128(2));
        window.served(quiet, ms(7), Failed::No);

        let mut told = window.taken().told();
        told.sort_by_key(|(tenant, _)| tenant.id());

        let busy = Traffic {
            requests: 200,
            failures: 3,
            slow_ms: 4,
        };
        let once = Traffic {
            requests: 1,
            failures: 0,
            slow_ms: 7,
        };
        assert_eq!(told, [(tenant, busy), (quiet, once)]);
        assert!(window.told().is_empty());
    }
}
