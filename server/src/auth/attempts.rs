//! Counts failed attempts: across all processes while Redis is there, in this one otherwise.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use deadpool_redis::Connection;
use deadpool_redis::redis::{Script, cmd};
use moka::sync::Cache;

use crate::config::Auth;
use crate::redis::Redis;

/// Keys counted in this process; past it the least used go first.
const COUNTED_HERE: u64 = 100_000;
/// Counts one and says how many there are and for how long they count, milliseconds.
const COUNT: &str = "local n = redis.call('INCR', KEYS[1])
if n == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return {n, redis.call('PTTL', KEYS[1])}";

/// Whether another attempt may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It may.
    Open,
    /// Not for so many seconds.
    Blocked(u64),
}

/// Counts attempts by key within a window. An attempt counts when it begins, so that many at
/// once can't slip through, and is forgiven when it succeeds.
#[derive(Clone)]
pub struct Attempts {
    redis: Redis,
    here: Cache<String, Arc<AtomicU32>>,
    limit: u32,
    window: Duration,
}

impl Attempts {
    /// Prepares the counters.
    pub fn new(redis: Redis, auth: &Auth) -> Self {
        let window = Duration::from_secs(u64::from(auth.sign_in_window_minutes) * 60);
        Self {
            redis,
            here: Cache::builder()
                .max_capacity(COUNTED_HERE)
                .time_to_live(window)
                .build(),
            limit: auth.sign_in_attempts,
            window,
        }
    }

    /// Counts one attempt under `key`.
    pub async fn begin(&self, key: &str) -> Standing {
        let (count, left) = match self.count_in_redis(key).await {
            Some(counted) => counted,
            None => (self.count_here(key), self.window),
        };
        if count > self.limit {
            Standing::Blocked(left.as_secs().max(1))
        } else {
            Standing::Open
        }
    }

    /// Forgets what was counted under `key`.
    pub async fn forgive(&self, key: &str) {
        self.here.invalidate(key);
        let forget = async |mut connection: Connection| {
            cmd("DEL")
                .arg(self.redis.key(key))
                .query_async::<()>(&mut connection)
                .await
        };
        self.redis.ask(forget).await;
    }

    fn count_here(&self, key: &str) -> u32 {
        let counter = self.here.get_with_by_ref(key, Arc::default);
        counter.fetch_add(1, Ordering::Relaxed).saturating_add(1)
    }

    async fn count_in_redis(&self, key: &str) -> Option<(u32, Duration)> {
        let window_ms = u64::try_from(self.window.as_millis()).unwrap_or(u64::MAX);
        let count = async |mut connection: Connection| {
            Script::new(COUNT)
                .key(self.redis.key(key))
                .arg(window_ms)
                .invoke_async::<(u32, i64)>(&mut connection)
                .await
        };
        let (count, left_ms) = self.redis.ask(count).await?;
        Some((
            count,
            Duration::from_millis(u64::try_from(left_ms).unwrap_or_default()),
        ))
    }
}

impl std::fmt::Debug for Attempts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Attempts")
    }
}
