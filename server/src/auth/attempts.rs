//! Counts failed attempts: across all processes while Redis is there, in this one otherwise.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use deadpool_redis::redis::Script;
use deadpool_redis::{Config as RedisConfig, Pool, PoolConfig, Runtime, Timeouts};
use moka::sync::Cache;
use secrecy::ExposeSecret;

use crate::config::{Auth, Redis};

/// Keys counted in this process; past it the least used go first.
const COUNTED_HERE: u64 = 100_000;
/// After Redis has failed it is left alone for this long, so that its absence costs nothing.
const REST: Duration = Duration::from_secs(5);
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
    redis: Option<Pool>,
    timeout: Duration,
    here: Cache<String, Arc<AtomicU32>>,
    limit: u32,
    window: Duration,
    started: Instant,
    /// Milliseconds after `started` until which Redis is left alone.
    resting_until: Arc<AtomicU64>,
}

impl Attempts {
    /// Prepares the counters; Redis is first asked when it is needed.
    ///
    /// # Errors
    ///
    /// When the address of Redis can't be read.
    pub fn new(redis: &Redis, auth: &Auth) -> Result<Self, anyhow::Error> {
        let timeout = Duration::from_millis(redis.timeout_ms);
        let window = Duration::from_secs(u64::from(auth.sign_in_window_minutes) * 60);
        Ok(Self {
            redis: pool(redis.url.expose_secret(), timeout)?,
            timeout,
            here: Cache::builder()
                .max_capacity(COUNTED_HERE)
                .time_to_live(window)
                .build(),
            limit: auth.sign_in_attempts,
            window,
            started: Instant::now(),
            resting_until: Arc::default(),
        })
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
        self.in_redis(async |mut connection| {
            deadpool_redis::redis::cmd("DEL")
                .arg(key)
                .query_async::<()>(&mut connection)
                .await
        })
        .await;
    }

    /// Whether Redis answers; `None` when there is none.
    pub async fn redis_answers(&self) -> Option<bool> {
        self.redis.as_ref()?;
        let answer = self
            .in_redis(async |mut connection| {
                deadpool_redis::redis::cmd("PING")
                    .query_async::<String>(&mut connection)
                    .await
            })
            .await;
        Some(answer.is_some())
    }

    fn count_here(&self, key: &str) -> u32 {
        let counter = self.here.get_with_by_ref(key, Arc::default);
        counter.fetch_add(1, Ordering::Relaxed).saturating_add(1)
    }

    async fn count_in_redis(&self, key: &str) -> Option<(u32, Duration)> {
        let window_ms = u64::try_from(self.window.as_millis()).unwrap_or(u64::MAX);
        let (count, left_ms) = self
            .in_redis(async |mut connection| {
                Script::new(COUNT)
                    .key(key)
                    .arg(window_ms)
                    .invoke_async::<(u32, i64)>(&mut connection)
                    .await
            })
            .await?;
        Some((
            count,
            Duration::from_millis(u64::try_from(left_ms).unwrap_or_default()),
        ))
    }

    /// Asks Redis unless it is resting; a failure or a late answer sends it to rest.
    async fn in_redis<T>(
        &self,
        ask: impl AsyncFnOnce(
            deadpool_redis::Connection,
        ) -> Result<T, deadpool_redis::redis::RedisError>,
    ) -> Option<T> {
        let pool = self.redis.as_ref()?;
        let now_ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        if now_ms < self.resting_until.load(Ordering::Relaxed) {
            return None;
        }
        let answer = tokio::time::timeout(self.timeout, async {
            Ok::<_, anyhow::Error>(ask(pool.get().await?).await?)
        })
        .await;
        let failure = match answer {
            Ok(Ok(value)) => return Some(value),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no answer in time".to_owned(),
        };
        let rest_ms = u64::try_from(REST.as_millis()).unwrap_or_default();
        self.resting_until
            .store(now_ms + rest_ms, Ordering::Relaxed);
        tracing::warn!(
            error = failure,
            "redis is left alone for a while, this process counts"
        );
        None
    }
}

impl std::fmt::Debug for Attempts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Attempts")
    }
}

fn pool(url: &str, timeout: Duration) -> Result<Option<Pool>, anyhow::Error> {
    if url.is_empty() {
        return Ok(None);
    }
    let mut config = RedisConfig::from_url(url);
    let wait = Some(timeout);
    config.pool = Some(PoolConfig {
        timeouts: Timeouts {
            wait,
            create: wait,
            recycle: wait,
        },
        ..PoolConfig::default()
    });
    Ok(Some(config.create_pool(Some(Runtime::Tokio1))?))
}
