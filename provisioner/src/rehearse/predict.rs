//! What a few tenants say about all of them: how long the run takes, and how often it meets a
//! request that holds what it needs.

use serde::{Deserialize, Serialize};

/// Servers tell of their requests in windows of so long, unless they are told otherwise.
const WINDOW_MS: i128 = 10_000;

/// What is to be expected of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prediction {
    /// Tenants and spares that are behind.
    pub tenants: u64,
    /// Their tables and indexes together.
    pub bytes: i64,
    /// With so many connections at once.
    pub connections: u16,
    /// How long the run takes, in microseconds.
    pub duration_us: u64,
    /// What each tenant costs however small it is, in microseconds.
    pub fixed_us: u64,
    /// What each mebibyte costs on top, in microseconds.
    pub us_per_mib: u64,
    /// Whether servers have told of requests lately. Where they haven't, no wait is predicted.
    pub traffic_is_known: bool,
    /// How often a lock is asked for while a request is under way, in thousandths.
    pub meetings_milli: u64,
    /// How often a lock is not to be had in time, so that the tenant's turn is put off, in
    /// thousandths.
    pub lock_waits_milli: u64,
    /// How long a lock is waited for, in milliseconds.
    pub lock_timeout_ms: u32,
}

/// What was measured on a clone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Measured {
    pub(super) bytes: i64,
    pub(super) duration_us: u64,
    /// Messages that took a lock which requests wait for.
    pub(super) locking_messages: u32,
}

/// A tenant that is to be migrated, and its requests in the last window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pending {
    pub(super) bytes: i64,
    /// Nothing where no server has told of any lately.
    pub(super) requests: i64,
    pub(super) slow_ms: i64,
}

/// How it is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Terms {
    pub(super) connections: u16,
    pub(super) lock_timeout_ms: u32,
    pub(super) traffic_is_known: bool,
}

/// Predicts a run from what was measured; nothing from nothing.
pub(super) fn predict(
    measured: &[Measured],
    pending: &[Pending],
    terms: Terms,
) -> Option<Prediction> {
    let points: Vec<(i128, i128)> = measured
        .iter()
        .map(|one| (i128::from(one.bytes) / 1_024, i128::from(one.duration_us)))
        .collect();
    let line = Line::through(&points)?;
    let each = |one: &Pending| line.at(i128::from(one.bytes) / 1_024);
    let all: i128 = pending.iter().map(each).sum();
    let longest = pending.iter().map(each).max().unwrap_or_default();
    let shared = all / i128::from(terms.connections.max(1));
    let locks: i128 = measured
        .iter()
        .map(|one| i128::from(one.locking_messages))
        .sum();
    let locks_milli = locks * 1_000 / i128::try_from(measured.len()).unwrap_or(1);
    let timeout = i128::from(terms.lock_timeout_ms);
    let (mut meetings, mut waits) = (0, 0);
    for one in pending {
        let slow = i128::from(one.slow_ms).max(0);
        let busy_milli = (i128::from(one.requests) * slow * 1_000 / WINDOW_MS).clamp(0, 1_000);
        let met = busy_milli * locks_milli / 1_000;
        meetings += met;
        // A request that began before us is at any point of its time with the same chance.
        waits += met * (slow - timeout).max(0) / slow.max(1);
    }
    let whole = |number: i128| u64::try_from(number).unwrap_or_default();
    Some(Prediction {
        tenants: pending.len() as u64,
        bytes: pending.iter().map(|one| one.bytes).sum(),
        connections: terms.connections,
        duration_us: whole(shared.max(longest)),
        fixed_us: whole(line.fixed),
        us_per_mib: whole(line.at(1_024) - line.fixed),
        traffic_is_known: terms.traffic_is_known,
        meetings_milli: whole(meetings),
        lock_waits_milli: whole(waits),
        lock_timeout_ms: terms.lock_timeout_ms,
    })
}

/// A straight line by least squares, which never falls and never begins below zero: neither would
/// mean anything here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Line {
    fixed: i128,
    rise: i128,
    run: i128,
}

impl Line {
    fn through(points: &[(i128, i128)]) -> Option<Self> {
        let count = i128::try_from(points.len())
            .ok()
            .filter(|count| *count > 0)?;
        let sum = |of: fn(&(i128, i128)) -> i128| points.iter().map(of).sum::<i128>();
        let (x, y) = (sum(|p| p.0), sum(|p| p.1));
        let (xx, xy) = (sum(|p| p.0 * p.0), sum(|p| p.0 * p.1));
        let (rise, run) = (count * xy - x * y, count * xx - x * x);
        if run <= 0 || rise <= 0 {
            let fixed = y / count;
            return Some(Self {
                fixed,
                rise: 0,
                run: 1,
            });
        }
        let fixed = (y * run - rise * x) / (count * run);
        if fixed < 0 {
            return Some(Self {
                fixed: 0,
                rise: xy,
                run: xx.max(1),
            });
        }
        Some(Self { fixed, rise, run })
    }

    fn at(&self, x: i128) -> i128 {
        self.fixed + self.rise * x / self.run
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERMS: Terms = Terms {
        connections: 2,
        lock_timeout_ms: 200,
        traffic_is_known: true,
    };

    fn measured(bytes: i64, duration_us: u64) -> Measured {
        Measured {
            bytes,
            duration_us,
            locking_messages: 1,
        }
    }

    fn quiet(bytes: i64) -> Pending {
        Pending {
            bytes,
            requests: 0,
            slow_ms: 0,
        }
    }

    #[test]
    fn a_run_costs_what_its_tenants_cost_divided_among_connections() {
        const MIB: i64 = 1_048_576;
        let clones = [measured(MIB, 3_000), measured(3 * MIB, 5_000)];

        let run = predict(&clones, &[quiet(2 * MIB); 10], TERMS).unwrap();

        assert_eq!((run.fixed_us, run.us_per_mib), (2_000, 1_000));
        assert_eq!(run.duration_us, 10 * 4_000 / 2);
        let single = predict(&clones, &[quiet(8 * MIB)], TERMS).unwrap();
        assert_eq!(single.duration_us, 10_000, "one tenant is one connection's");
        assert_eq!(predict(&[], &[quiet(1)], TERMS), None);
    }

    #[test]
    fn noise_makes_no_line_that_falls_or_begins_below_zero() {
        let falling = Line::through(&[(1, 100), (10, 50)]).unwrap();
        assert_eq!((falling.at(0), falling.at(1_000)), (75, 75));

        let steep = Line::through(&[(10, 10), (20, 100)]).unwrap();
        assert_eq!(steep.at(0), 0);
        assert!(steep.at(20) > 80);
    }

    #[test]
    fn a_lock_waits_where_requests_are_slower_than_it_waits() {
        let clones = [measured(1, 1_000)];
        let busy = |requests, slow_ms| Pending {
            bytes: 1,
            requests,
            slow_ms,
        };

        let fast = predict(&clones, &[busy(10, 100)], TERMS).unwrap();
        assert_eq!((fast.meetings_milli, fast.lock_waits_milli), (100, 0));

        let slow = predict(&clones, &[busy(10, 800)], TERMS).unwrap();
        assert_eq!((slow.meetings_milli, slow.lock_waits_milli), (800, 600));

        let full = predict(&clones, &[busy(1_000, 800)], TERMS).unwrap();
        assert_eq!(
            full.meetings_milli, 1_000,
            "no lock meets more than it is asked for"
        );
    }
}
