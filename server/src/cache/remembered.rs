//! One cache: things of one kind, each under its dealer, its epoch and its id.

use std::fmt::Display;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use moka::Expiry;
use moka::future::Cache;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::shared::jittered;
use super::{Caches, Counts};
use crate::kernel::TenantKey;

/// How long this process remembers something, at most.
const LIFE: Duration = Duration::from_secs(60);

/// Whose thing it is, and as of when: what was learned at one epoch is unknown at the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place {
    /// The dealer.
    pub tenant: TenantKey,
    /// The dealer's access epoch.
    pub epoch: i64,
}

/// Remembers things of one kind. Cheap to clone.
#[derive(Clone)]
pub struct Remembered<K, V> {
    what: &'static str,
    here: Cache<(Place, K), Option<Arc<V>>>,
    caches: Caches,
    counts: Arc<Counts>,
}

impl<K, V> Remembered<K, V>
where
    K: Clone + Display + Eq + Hash + Send + Sync + 'static,
    V: Serialize + DeserializeOwned + Send + Sync + 'static,
{
    /// Remembers up to `most` things in this process. `what` names the kind in Redis and in
    /// metrics; no two kinds have the same.
    pub fn new(caches: &Caches, what: &'static str, most: u64) -> Self {
        let here = Cache::builder().max_capacity(most).expire_after(Lives);
        Self {
            what,
            here: here.build(),
            caches: caches.clone(),
            counts: caches.counts_of(what),
        }
    }

    /// What is known of a thing, or what `load` finds; `None` says that there is none, which is
    /// remembered as well. Many who ask for the same at once wait for one answer.
    ///
    /// `load` must begin after the epoch was read: then what is remembered is at least as new.
    ///
    /// # Errors
    ///
    /// What `load` says, which nobody remembers.
    pub async fn get<E: Clone + Send + Sync + 'static>(
        &self,
        place: Place,
        id: K,
        load: impl Future<Output = Result<Option<V>, E>>,
    ) -> Result<Option<Arc<V>>, E> {
        let name = || {
            let (what, epoch) = (self.what, place.epoch);
            place.tenant.scoped(format_args!("{what}:{epoch}:{id}"))
        };
        let key = (place, id.clone());
        if let Some(known) = self.here.get(&key).await {
            self.counts.process.fetch_add(1, Ordering::Relaxed);
            return Ok(known);
        }
        let has_asked = AtomicBool::new(false);
        let asking = async {
            has_asked.store(true, Ordering::Relaxed);
            self.look_further(&name(), load).await
        };
        let answer = self.here.try_get_with(key, asking).await;
        if !has_asked.load(Ordering::Relaxed) {
            self.counts.joined.fetch_add(1, Ordering::Relaxed);
        }
        answer.map_err(|error| (*error).clone())
    }

    async fn look_further<E>(
        &self,
        name: &str,
        load: impl Future<Output = Result<Option<V>, E>>,
    ) -> Result<Option<Arc<V>>, E> {
        if let Some(known) = self.caches.look_up::<V>(name).await {
            self.counts.redis.fetch_add(1, Ordering::Relaxed);
            return Ok(known.map(Arc::new));
        }
        self.counts.database.fetch_add(1, Ordering::Relaxed);
        let found = load.await?;
        self.caches.put(name, found.as_ref());
        Ok(found.map(Arc::new))
    }
}

impl<K, V> std::fmt::Debug for Remembered<K, V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Remembered").field(&self.what).finish()
    }
}

/// How long each thing is remembered here.
struct Lives;

impl<K, V> Expiry<K, V> for Lives {
    fn expire_after_create(&self, _: &K, _: &V, _: Instant) -> Option<Duration> {
        Some(jittered(LIFE))
    }
}
