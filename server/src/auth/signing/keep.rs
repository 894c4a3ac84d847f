//! Keeps one process's ring of keys as the table has them.

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::task::JoinHandle;

use super::ring::Ring;
use super::store::{self, Because, Rotated, Terms};
use crate::auth::AuthError;
use crate::config::Auth;
use crate::db::PlatformDb;
use crate::kernel::{Clock, Sealer};

/// How soon keys are asked for again that have never been read.
const SOON: Duration = Duration::from_millis(100);
/// A token with an unknown key has the table read anew no more often: anybody can name a key.
const UNKNOWN_KEYS: Duration = Duration::from_secs(1);

/// The keys of all processes, as this one knows them. Cheap to clone.
#[derive(Clone)]
pub struct SigningKeys(Arc<Inner>);

struct Inner {
    platform: PlatformDb,
    sealer: Sealer,
    clock: Clock,
    terms: Terms,
    poll: Duration,
    ring: RwLock<Arc<Ring>>,
    /// When an unknown key last had the table read.
    looked: Mutex<Option<Instant>>,
}

impl SigningKeys {
    /// Knows none yet; see [`SigningKeys::keep_fresh`].
    pub fn new(platform: PlatformDb, sealer: Sealer, clock: Clock, config: &Auth) -> Self {
        Self(Arc::new(Inner {
            platform,
            sealer,
            clock,
            terms: Terms::of(config),
            poll: Duration::from_millis(config.signing_poll_ms),
            ring: RwLock::default(),
            looked: Mutex::default(),
        }))
    }

    /// Reads the table every so often, and makes the next key when it is due.
    pub fn keep_fresh(&self) -> JoinHandle<()> {
        let keys = self.clone();
        tokio::spawn(async move {
            let mut is_told = false;
            loop {
                match keys.look().await {
                    Ok(()) => is_told = false,
                    Err(error) if !is_told => {
                        is_told = true;
                        tracing::warn!(error = ?error, "signing keys can't be read");
                    }
                    Err(_) => {}
                }
                let pause = if keys.are_known() { keys.0.poll } else { SOON };
                tokio::time::sleep(pause).await;
            }
        })
    }

    /// Whether there is a key to sign with.
    pub fn are_known(&self) -> bool {
        !self.ring().is_empty()
    }

    /// The public halves, as a JSON Web Key Set.
    ///
    /// # Errors
    ///
    /// [`AuthError::Unavailable`] before they were read.
    pub fn published(&self) -> Result<Value, AuthError> {
        let ring = self.ring();
        let now = self.0.clock.now();
        (!ring.is_empty())
            .then(|| ring.published(now))
            .ok_or(AuthError::Unavailable)
    }

    /// How long the published halves may be kept by whoever reads them, seconds: a key must be
    /// known to everybody before it signs.
    pub fn may_be_kept_seconds(&self) -> i64 {
        (self.0.terms.overlap.whole_seconds() / 2).min(300)
    }

    /// Makes the next key at once.
    ///
    /// # Errors
    ///
    /// [`AuthError::Db`].
    pub async fn rotate(&self, because: Because) -> Result<Rotated, AuthError> {
        let inner = &self.0;
        let now = inner.clock.now();
        let rotated = inner
            .platform
            .write(async |tx| store::rotate(tx, &inner.sealer, inner.terms, (because, now)).await)
            .await?;
        self.look().await?;
        Ok(rotated)
    }

    pub(in crate::auth) fn ring(&self) -> Arc<Ring> {
        let ring = self.0.ring.read();
        ring.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the table anew because somebody names a key that isn't known, unless that was done a
    /// moment ago.
    pub(in crate::auth) async fn look_for_unknown(&self) {
        {
            let looked = self.0.looked.lock();
            let mut looked = looked.unwrap_or_else(PoisonError::into_inner);
            let now = Instant::now();
            if looked.is_some_and(|last| now < last + UNKNOWN_KEYS) {
                return;
            }
            *looked = Some(now);
        }
        if let Err(error) = self.look().await {
            tracing::warn!(error = ?error, "signing keys can't be read");
        }
    }

    async fn look(&self) -> Result<(), AuthError> {
        let inner = &self.0;
        let now = inner.clock.now();
        let read = || {
            inner
                .platform
                .read(async |tx| store::read(tx, &inner.sealer, now).await)
        };
        let mut ring = read().await?;
        if inner.terms.is_due(&ring, now) {
            inner
                .platform
                .write(async |tx| store::renew(tx, &inner.sealer, inner.terms, now).await)
                .await?;
            ring = read().await?;
        }
        *inner.ring.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(ring);
        Ok(())
    }
}

impl std::fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("SigningKeys").field(&self.ring()).finish()
    }
}
