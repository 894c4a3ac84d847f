//! Leaves a host alone that fails time after time, and tries it now and then.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use time::{Duration, OffsetDateTime};
use url::Url;

use crate::kernel::TenantKey;

/// Failures in a row after which a host is left alone.
const FAILURES: u32 = 5;
/// How long, the first time; it doubles with every try that fails.
const FIRST: Duration = Duration::seconds(10);
/// The longest time.
const LONGEST: Duration = Duration::minutes(5);
/// Hosts remembered; beyond, those are forgotten that may be tried anyway.
const REMEMBERED: usize = 10_000;

/// Which hosts are left alone, by dealer: what one dealer's receiver does closes nothing for others
/// who go to the same host. In this process.
#[derive(Debug, Clone, Default)]
pub struct Breakers(Arc<Mutex<HashMap<(TenantKey, String), Failing>>>);

#[derive(Debug, Clone, Copy)]
struct Failing {
    times: u32,
    until: OffsetDateTime,
}

impl Breakers {
    /// How long a host is still to be left alone. When that is over one may try, and the others
    /// wait for what comes of it.
    pub fn wait_for(&self, whose: TenantKey, url: &Url, now: OffsetDateTime) -> Option<Duration> {
        let mut all = self.lock();
        let failing = all.get_mut(&(whose, host(url)))?;
        if failing.times < FAILURES {
            return None;
        }
        if failing.until > now {
            return Some(failing.until - now);
        }
        failing.until = now + FIRST;
        None
    }

    /// It answered, and not that it is in trouble.
    pub fn well(&self, whose: TenantKey, url: &Url) {
        self.lock().remove(&(whose, host(url)));
    }

    /// It failed.
    pub fn failed(&self, whose: TenantKey, url: &Url, now: OffsetDateTime) {
        let mut all = self.lock();
        if all.len() >= REMEMBERED {
            all.retain(|_, failing| failing.until > now);
        }
        let failing = all.entry((whose, host(url))).or_insert(Failing {
            times: 0,
            until: now,
        });
        failing.times = failing.times.saturating_add(1);
        if let Some(doublings) = failing.times.checked_sub(FAILURES) {
            let wait = FIRST * 2_i32.pow(doublings.min(5));
            failing.until = now + wait.min(LONGEST);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<(TenantKey, String), Failing>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// With its port: another one is another receiver.
fn host(url: &Url) -> String {
    let port = url.port_or_known_default().unwrap_or_default();
    format!("{}:{port}", url.host_str().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_host_that_fails_is_left_alone_tried_by_one_and_left_alone_for_longer() {
        let breakers = Breakers::default();
        let (acme, bolt) = [1, 2].map(|it| TenantKey::of(Uuid::from_u128(it))).into();
        let url = "https://there.example/hook".parse::<Url>().unwrap();
        let start = OffsetDateTime::UNIX_EPOCH;
        let wait = |whose, now| breakers.wait_for(whose, &url, now);

        for _ in 0..FAILURES {
            assert_eq!(wait(acme, start), None);
            breakers.failed(acme, &url, start);
        }

        assert_eq!(wait(acme, start), Some(FIRST));
        assert_eq!(wait(bolt, start), None);
        let later = start + FIRST;
        assert_eq!(wait(acme, later), None, "one tries");
        assert_eq!(wait(acme, later), Some(FIRST), "the others wait");
        breakers.failed(acme, &url, later);
        assert_eq!(wait(acme, later), Some(FIRST * 2));
        breakers.well(acme, &url);
        assert_eq!(wait(acme, later), None);
    }
}
