//! Redis, if there is one: asked on one wire that all share, within a time limit, and left alone while
//! it is away. Nothing that must not be lost is kept there.

mod breaker;
mod metrics;

pub use breaker::State;
pub(crate) use metrics::RedisCollector;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use deadpool_redis::redis::aio::MultiplexedConnection;
use deadpool_redis::redis::{RedisError, cmd};
use deadpool_redis::{Config as PoolAddress, Connection, Pool, PoolConfig, Runtime, Timeouts};
use secrecy::ExposeSecret;
use tokio::runtime::Handle;

use self::breaker::Breaker;
use crate::config;

/// The way to Redis. Cheap to clone; all clones share one pool and one breaker.
#[derive(Clone)]
pub struct Redis(Option<Arc<Inner>>);

/// A wire to Redis, on which many questions travel at once.
pub type Wire = MultiplexedConnection;

struct Inner {
    /// Opens wires. Taken from it for every question they would be tried with a ping of their own:
    /// two round trips for one.
    pool: Pool,
    /// The wire that all share, until it breaks.
    wire: Mutex<Option<Wire>>,
    /// Where wires live: longer than the thread that asks first.
    runtime: Handle,
    prefix: String,
    timeout: Duration,
    breaker: Breaker,
    counts: Counts,
}

/// What became of the questions.
#[derive(Debug, Default)]
struct Counts {
    answered: AtomicU64,
    failed: AtomicU64,
    /// Not asked, because the breaker was open.
    spared: AtomicU64,
}

impl Redis {
    /// Prepares the way; Redis is first asked when it is needed.
    ///
    /// # Errors
    ///
    /// When its address can't be read.
    pub fn new(config: &config::Redis) -> Result<Self, anyhow::Error> {
        let timeout = Duration::from_millis(config.timeout_ms);
        let rest = Duration::from_millis(config.rest_ms);
        let inner = pool(config.url.expose_secret(), timeout)?.map(|pool| {
            Arc::new(Inner {
                pool,
                wire: Mutex::default(),
                runtime: Handle::current(),
                prefix: config.prefix.clone(),
                timeout,
                breaker: Breaker::new(rest),
                counts: Counts::default(),
            })
        });
        Ok(Self(inner))
    }

    /// Asks Redis one thing. `None` when there is no Redis, when it is resting (which costs
    /// nothing: no waiting, not even for a connection), when it failed or was late: whoever asks
    /// must have something else to go by.
    pub async fn ask<T>(
        &self,
        question: impl AsyncFnOnce(Wire) -> Result<T, RedisError>,
    ) -> Option<T> {
        let inner = self.0.as_ref()?;
        let Some(try_it) = inner.breaker.let_through(Instant::now()) else {
            inner.counts.spared.fetch_add(1, Ordering::Relaxed);
            return None;
        };
        let answer = tokio::time::timeout(inner.timeout, async {
            Ok::<_, anyhow::Error>(question(inner.wire().await?).await?)
        })
        .await;
        let failure = match answer {
            Ok(Ok(value)) => {
                inner.counts.answered.fetch_add(1, Ordering::Relaxed);
                try_it.succeeded();
                return Some(value);
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no answer in time".to_owned(),
        };
        inner.counts.failed.fetch_add(1, Ordering::Relaxed);
        inner.cut();
        try_it.failed(Instant::now());
        tracing::warn!(
            error = failure,
            "redis is left alone for a while, this process goes by itself"
        );
        None
    }

    /// The name that something is kept under there.
    pub fn key(&self, what: &str) -> String {
        let prefix = self.0.as_ref().map_or("", |inner| &inner.prefix);
        format!("{prefix}{what}")
    }

    /// Whether Redis answers; `None` when there is none.
    pub async fn answers(&self) -> Option<bool> {
        self.0.as_ref()?;
        let ping = async |mut wire: Wire| cmd("PING").query_async::<String>(&mut wire).await;
        Some(self.ask(ping).await.is_some())
    }

    /// Whether Redis is asked at present; `None` when there is none.
    pub fn state(&self) -> Option<State> {
        self.0.as_ref().map(|inner| inner.breaker.state())
    }

    fn counts(&self) -> Option<&Counts> {
        self.0.as_ref().map(|inner| &inner.counts)
    }
}

impl Inner {
    /// The wire that all share; a new one where there is none.
    async fn wire(&self) -> Result<Wire, anyhow::Error> {
        let shared = || self.wire.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(wire) = shared().clone() {
            return Ok(wire);
        }
        let pool = self.pool.clone();
        let opened = self
            .runtime
            .spawn(async move { pool.get().await })
            .await??;
        let wire = Connection::take(opened);
        *shared() = Some(wire.clone());
        Ok(wire)
    }

    /// Leaves a wire on which something went wrong to those who still wait on it.
    fn cut(&self) {
        *self.wire.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl std::fmt::Debug for Redis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Redis").field(&self.state()).finish()
    }
}

fn pool(url: &str, timeout: Duration) -> Result<Option<Pool>, anyhow::Error> {
    if url.is_empty() {
        return Ok(None);
    }
    let mut config = PoolAddress::from_url(url);
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
