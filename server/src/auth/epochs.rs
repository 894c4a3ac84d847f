//! At which access epoch each dealer is, known to this process for less than a second.
//!
//! This is what makes it safe to remember anything for longer: a change bumps the epoch in its own
//! transaction, so that a second after it was acknowledged every process asks under a name that
//! nobody has remembered anything under. It needs no message that could be lost, and no Redis.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use moka::sync::Cache;
use sea_orm::{ConnAcquireErr, DbErr};

use super::epoch::{self, AccessState};
use crate::db::TenantDb;
use crate::kernel::TenantKey;

/// Dealers whose epochs are remembered.
const REMEMBERED: u64 = 20_000;
/// How long an epoch is believed, counted from before the question was sent: within a second of a
/// change nobody believes the one before.
const BELIEVED: Duration = Duration::from_millis(700);
/// A dealer whom nobody asks is forgotten.
const IDLE: Duration = Duration::from_secs(600);

/// Knows the epochs of dealers who are asked. Of those who aren't nothing is asked either.
#[derive(Clone)]
pub(super) struct Epochs(Cache<TenantKey, Arc<Dealer>>);

/// What is known of one dealer.
#[derive(Debug, Default)]
struct Dealer {
    answer: Mutex<Option<Answer>>,
    /// One asks at a time, the others wait for the answer.
    turn: Arc<tokio::sync::Mutex<()>>,
}

/// What the database said, and when it was asked.
#[derive(Debug, Clone)]
struct Answer {
    asked: Instant,
    said: Result<AccessState, DbErr>,
}

impl Epochs {
    pub(super) fn new() -> Self {
        let dealers = Cache::builder().max_capacity(REMEMBERED).time_to_idle(IDLE);
        Self(dealers.build())
    }

    /// How it stands with a dealer, or stood less than a second ago.
    ///
    /// # Errors
    ///
    /// When what is known is older than that and the database doesn't answer: nobody goes by old
    /// knowledge. A failure is shared by those who waited for it, so that waits don't add up.
    pub(super) async fn now(&self, db: &TenantDb) -> Result<AccessState, DbErr> {
        let came = Instant::now();
        let dealer = self.0.get_with(db.tenant().key(), Arc::default);
        if let Some(known) = dealer.believed(came) {
            return Ok(known);
        }
        let turn = dealer.turn.clone().lock_owned().await;
        let heard = dealer.answer().clone();
        match heard {
            Some(Answer {
                said: Ok(known),
                asked,
            }) if asked + BELIEVED >= came => {
                return Ok(known);
            }
            Some(Answer {
                said: Err(error),
                asked,
            }) if asked >= came => return Err(error),
            Some(_) | None => {}
        }
        // Goes on when nobody waits any more: a request that is refused for something else would
        // leave a connection in the middle of an answer, and the next request nothing to go by.
        let (db, gone) = (
            db.clone(),
            Err(DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed)),
        );
        let asking = tokio::spawn(async move {
            let asked = Instant::now();
            let said = db.read(async |tx| epoch::read(tx).await).await;
            *dealer.answer() = Some(Answer {
                asked,
                said: said.clone(),
            });
            drop(turn);
            said
        });
        asking.await.unwrap_or(gone)
    }

    /// Asks anew when it is next needed: this process has just made a change.
    pub(super) fn forget(&self, tenant: TenantKey) {
        self.0.invalidate(&tenant);
    }
}

impl Dealer {
    fn answer(&self) -> MutexGuard<'_, Option<Answer>> {
        self.answer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn believed(&self, came: Instant) -> Option<AccessState> {
        let answer = self.answer();
        let answer = answer.as_ref()?;
        let known = answer.said.as_ref().ok()?;
        (answer.asked + BELIEVED >= came).then_some(*known)
    }
}

impl std::fmt::Debug for Epochs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Epochs")
    }
}
