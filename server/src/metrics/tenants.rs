//! What each tenant asks of us: counted for all, named for the busiest.
//!
//! Every request is counted once, either in the series of its tenant or in that of all others,
//! and what was counted in one series never moves to another, so no series ever goes backwards:
//!
//! * A tenant gets a name when one is free, or when it clearly overtakes the least busy named one.
//!   What it did before stays with the others for good; from then on it counts in its own series.
//! * A tenant that loses its name goes on among the others. Its series is no longer told, but what
//!   it counted is kept, so that the series goes on from there should it be named again.
//! * A tenant that left the directory is forgotten with its series.
//!
//! So rates over all series add up to the rate of all requests, whoever is named.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::registry::Unit;

use super::window::{Failed, Window};
use crate::db::Directory;
use crate::kernel::TenantKey;

/// After this long past busyness counts half.
const HALF_LIFE: Duration = Duration::from_secs(300);
/// How much busier than a named tenant another must be to take its name: names that flip at every
/// scrape would be names of nobody.
const CLEARLY: f64 = 1.5;
/// The label of all who aren't named. No tenant's id looks like it.
const OTHER: &str = "other";

/// Requests and the time they took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Counts {
    requests: u64,
    busy_us: u64,
}

impl Counts {
    fn add(&mut self, busy: Duration) {
        self.requests += 1;
        self.busy_us += u64::try_from(busy.as_micros()).unwrap_or(u64::MAX);
    }
}

#[derive(Debug, Default)]
struct Tally {
    is_named: bool,
    /// While it was named.
    counts: Counts,
    /// Seconds of serving, past ones fading.
    busyness: f64,
}

/// Whether the series of tenants are told to anybody; else they aren't kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    Yes,
    No,
}

/// The counts of all tenants.
#[derive(Debug)]
pub(super) struct Tenants {
    most_named: usize,
    books: Mutex<Books>,
}

#[derive(Debug)]
struct Books {
    others: Counts,
    tallies: HashMap<TenantKey, Tally>,
    /// Since the platform was last told.
    window: Window,
    named: usize,
    faded_at: Instant,
}

impl Tenants {
    /// No tenants yet; so many of them may be named.
    pub(super) fn new(most_named: usize, now: Instant) -> Self {
        Self {
            most_named,
            books: Mutex::new(Books {
                others: Counts::default(),
                tallies: HashMap::new(),
                window: Window::default(),
                named: 0,
                faded_at: now,
            }),
        }
    }

    /// Counts a request of a tenant for the window, and for its series if those are told.
    pub(super) fn served(&self, tenant: TenantKey, busy: Duration, failed: Failed, told: Told) {
        let mut books = self.books.lock().unwrap_or_else(PoisonError::into_inner);
        books.window.served(tenant, busy, failed);
        if told == Told::Yes {
            books.count(tenant, busy, self.most_named);
        }
    }

    /// Closes the window and opens the next.
    pub(super) fn window(&self) -> Window {
        let mut books = self.books.lock().unwrap_or_else(PoisonError::into_inner);
        books.window.taken()
    }

    /// Forgets tenants that no longer exist and gives names to those that deserve them, then
    /// tells the series: the named ones by key, then all others.
    fn told(
        &self,
        existing: Option<&HashSet<TenantKey>>,
        now: Instant,
    ) -> (Vec<(TenantKey, Counts)>, Counts) {
        let mut books = self.books.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(existing) = existing {
            books.tallies.retain(|key, _| existing.contains(key));
        }
        books.fade(now);
        books.name_the_busiest(self.most_named);
        let named = books.tallies.iter().filter(|(_, tally)| tally.is_named);
        let mut named: Vec<_> = named.map(|(key, tally)| (*key, tally.counts)).collect();
        named.sort_unstable_by_key(|(key, _)| key.id());
        (named, books.others)
    }
}

impl Books {
    fn count(&mut self, tenant: TenantKey, busy: Duration, most_named: usize) {
        let has_free_name = self.named < most_named;
        let tally = self.tallies.entry(tenant).or_default();
        tally.busyness += busy.as_secs_f64();
        let gets_name = has_free_name && !tally.is_named;
        tally.is_named |= gets_name;
        if tally.is_named {
            tally.counts.add(busy);
        } else {
            self.others.add(busy);
        }
        self.named += usize::from(gets_name);
    }

    fn fade(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.faded_at);
        let left = 0.5_f64.powf(passed.as_secs_f64() / HALF_LIFE.as_secs_f64());
        for tally in self.tallies.values_mut() {
            tally.busyness *= left;
        }
        self.faded_at = now;
    }

    fn name_the_busiest(&mut self, most: usize) {
        let (mut named, mut others): (Vec<_>, Vec<_>) = self
            .tallies
            .iter_mut()
            .map(|(_, tally)| tally)
            .partition(|tally| tally.is_named);
        others.sort_unstable_by(|a, b| b.busyness.total_cmp(&a.busyness));
        let mut challengers = others.into_iter();
        while named.len() < most {
            let Some(next) = challengers.next() else {
                break;
            };
            next.is_named = true;
            named.push(next);
        }
        named.sort_unstable_by(|a, b| a.busyness.total_cmp(&b.busyness));
        for weakest in &mut named {
            let Some(challenger) = challengers.next() else {
                break;
            };
            if challenger.busyness <= weakest.busyness * CLEARLY {
                break;
            }
            weakest.is_named = false;
            challenger.is_named = true;
        }
        self.named = named.len();
    }
}

/// Tells the tenants' series at every scrape.
pub(super) struct TenantCollector {
    pub(super) tenants: Arc<Tenants>,
    pub(super) directory: Arc<Directory>,
}

impl Collector for TenantCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        // A directory that wasn't read yet knows nobody, which doesn't mean that they are gone.
        let is_known = self.directory.is_loaded();
        let existing = is_known.then(|| self.directory.keys().into_iter().collect());
        let (named, others) = self.tenants.told(existing.as_ref(), Instant::now());
        let mut series: Vec<_> = named
            .into_iter()
            .map(|(key, counts)| (key.to_string(), counts))
            .collect();
        series.push((OTHER.to_owned(), others));

        let help = "Requests of the busiest tenants, by id, and of all others";
        let mut family =
            encoder.encode_descriptor("tenant_requests", help, None, MetricType::Counter)?;
        for (tenant, counts) in &series {
            let labels = [("tenant", tenant.as_str())];
            ConstCounter::new(counts.requests).encode(family.encode_family(&labels)?)?;
        }
        let help = "Time spent serving the busiest tenants, by id, and all others";
        let unit = Some(&Unit::Seconds);
        let mut family =
            encoder.encode_descriptor("tenant_busy", help, unit, MetricType::Counter)?;
        for (tenant, counts) in &series {
            let labels = [("tenant", tenant.as_str())];
            let seconds = Duration::from_micros(counts.busy_us).as_secs_f64();
            ConstCounter::new(seconds).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }
}

impl fmt::Debug for TenantCollector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TenantCollector")
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn key(number: u128) -> TenantKey {
        TenantKey::of(Uuid::from_u128(number))
    }

    fn serve(tenants: &Tenants, number: u128, seconds: u32) {
        for _ in 0..seconds {
            tenants.served(key(number), SECOND, Failed::No, Told::Yes);
        }
    }

    fn requests(told: &(Vec<(TenantKey, Counts)>, Counts)) -> (Vec<(u128, u64)>, u64) {
        let named = told.0.iter();
        let named = named.map(|(key, counts)| (key.id().as_u128(), counts.requests));
        (named.collect(), told.1.requests)
    }

    #[test]
    fn five_thousand_tenants_are_told_as_a_few_and_add_up() {
        let now = Instant::now();
        let tenants = Tenants::new(20, now);
        for round in 0..3 {
            for number in 0..5_000 {
                serve(&tenants, number, 1);
            }
            let (named, others) = tenants.told(None, now);

            assert_eq!(named.len(), 20);
            let sum: u64 = named.iter().map(|(_, counts)| counts.requests).sum();
            assert_eq!(sum + others.requests, 5_000 * (round + 1));
        }
    }

    #[test]
    fn a_name_stays_until_another_tenant_is_clearly_busier() {
        let now = Instant::now();
        let tenants = Tenants::new(1, now);
        serve(&tenants, 1, 10);
        serve(&tenants, 2, 12);
        assert_eq!(requests(&tenants.told(None, now)), (vec![(1, 10)], 12));

        serve(&tenants, 2, 8);
        assert_eq!(requests(&tenants.told(None, now)), (vec![(2, 0)], 20));

        serve(&tenants, 2, 5);
        serve(&tenants, 1, 1);
        assert_eq!(requests(&tenants.told(None, now)), (vec![(2, 5)], 21));
    }

    #[test]
    fn a_series_that_comes_back_goes_on_where_it_stopped() {
        let now = Instant::now();
        let tenants = Tenants::new(1, now);
        serve(&tenants, 1, 10);
        serve(&tenants, 2, 20);
        assert_eq!(requests(&tenants.told(None, now)).0, [(2, 0)]);

        serve(&tenants, 1, 30);
        assert_eq!(requests(&tenants.told(None, now)), (vec![(1, 10)], 50));
    }

    #[test]
    fn what_was_busy_once_fades() {
        let now = Instant::now();
        let tenants = Tenants::new(1, now);
        serve(&tenants, 1, 100);
        tenants.told(None, now);

        let later = now + HALF_LIFE * 10;
        serve(&tenants, 2, 1);
        assert_eq!(requests(&tenants.told(None, later)).0, [(1, 100)]);
        serve(&tenants, 2, 1);
        assert_eq!(requests(&tenants.told(None, later)).0, [(2, 0)]);
    }

    #[test]
    fn a_tenant_that_is_gone_is_forgotten_and_its_name_is_free() {
        let now = Instant::now();
        let tenants = Tenants::new(1, now);
        serve(&tenants, 1, 10);
        serve(&tenants, 2, 1);

        let existing = HashSet::from([key(2)]);
        assert_eq!(
            requests(&tenants.told(Some(&existing), now)),
            (vec![(2, 0)], 1)
        );
        let books = tenants.books.lock().unwrap();
        assert_eq!(books.tallies.len(), 1);
    }

    #[test]
    fn without_names_all_are_others() {
        let now = Instant::now();
        let tenants = Tenants::new(0, now);
        serve(&tenants, 1, 3);

        assert_eq!(requests(&tenants.told(None, now)), (vec![], 3));
    }
}
