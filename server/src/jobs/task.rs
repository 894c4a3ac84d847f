//! One attempt at one job, as whoever does it sees it.

use std::time::Duration;

use sea_orm::DbErr;
use time::OffsetDateTime;
use tokio::sync::watch;
use uuid::Uuid;

use super::claim::Claimed;
use super::error::JobError;
use crate::audit::{Actor, Stamp};
use crate::db::{TenantDb, TenantTx, is_job_lost};

/// Refused where the job is somebody else's.
const HOLD: &str = "SELECT shared.hold_job(CAST($1 AS uuid), CAST($2 AS bigint))";
/// The same, and ends it.
const FINISH: &str = "SELECT shared.finish_job(CAST($1 AS uuid), CAST($2 AS bigint))";

/// How an attempt ended well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is done, and nothing had to be committed with that.
    Done,
    /// It is done, and its end was committed with what it did: see [`Task::finish`].
    Finished,
    /// It was not its turn: again after so long, and this was no attempt.
    Later(Duration),
}

/// One attempt at one job.
#[derive(Debug)]
pub struct Task {
    claimed: Claimed,
    db: Option<TenantDb>,
    /// Turns true when nothing of it counts any more.
    lost: watch::Receiver<bool>,
    /// Turns true when the worker is to stop.
    stopping: watch::Receiver<bool>,
}

impl Task {
    pub(super) fn new(
        claimed: Claimed,
        db: Option<TenantDb>,
        lost: watch::Receiver<bool>,
        stopping: watch::Receiver<bool>,
    ) -> Self {
        Self {
            claimed,
            db,
            lost,
            stopping,
        }
    }

    /// The job's id.
    pub fn id(&self) -> Uuid {
        self.claimed.id
    }

    /// The number of this attempt, from 1.
    pub fn attempt(&self) -> i32 {
        self.claimed.attempt
    }

    /// Whether there is no other after this one.
    pub fn is_last_attempt(&self) -> bool {
        self.claimed.attempt >= self.claimed.max_attempts
    }

    /// When it was handed over, UTC.
    pub fn enqueued_at(&self) -> OffsetDateTime {
        self.claimed.enqueued_at
    }

    /// On whose behalf: the id of a request.
    pub fn trace(&self) -> Option<&str> {
        self.claimed.trace.as_deref()
    }

    /// The tenant's rows, for reading; what is written goes through [`Task::step`] and
    /// [`Task::finish`].
    ///
    /// # Errors
    ///
    /// [`JobError::Discard`] when the job is the platform's own.
    pub fn db(&self) -> Result<&TenantDb, JobError> {
        let none = || JobError::discard("this kind of job is done for a tenant");
        self.db.as_ref().ok_or_else(none)
    }

    /// What a record says of work that nobody asked for just now.
    pub fn stamp(&self, at: OffsetDateTime) -> Stamp {
        Stamp {
            actor: Actor::System,
            request_id: self.claimed.trace.clone(),
            address: None,
            at,
        }
    }

    /// Whether whoever does it had better come to an end: the worker stops, or the job is lost. What
    /// takes long asks between two steps, and ends with [`Outcome::Later`] of no time.
    pub fn is_to_end(&self) -> bool {
        *self.stopping.borrow() || *self.lost.borrow()
    }

    /// Runs a part of it in one transaction, which commits only while the job is ours.
    ///
    /// # Errors
    ///
    /// What `work` says; [`JobError::Lost`] when the job is somebody else's.
    pub async fn step<T, E>(&self, work: impl AsyncFn(&TenantTx) -> Result<T, E>) -> Result<T, E>
    where
        E: From<JobError> + From<DbErr>,
    {
        let db = self.db()?;
        let done = db.write(async |tx| {
            let value = work(tx).await.map_err(Refused::Work)?;
            self.fenced(tx, HOLD)?;
            Ok::<_, Refused<E>>(value)
        });
        done.await.map_err(Refused::into_error)
    }

    /// Runs the last part of it in one transaction, whose commit ends the job.
    ///
    /// # Errors
    ///
    /// As [`Task::step`].
    pub async fn finish<E>(
        &self,
        work: impl AsyncFn(&TenantTx) -> Result<(), E>,
    ) -> Result<Outcome, E>
    where
        E: From<JobError> + From<DbErr>,
    {
        let db = self.db()?;
        let done = db.write(async |tx| {
            work(tx).await.map_err(Refused::Work)?;
            self.fenced(tx, FINISH)?;
            Ok::<_, Refused<E>>(Outcome::Finished)
        });
        done.await.map_err(Refused::into_error)
    }

    /// Has the commit itself refused when the job is somebody else's.
    fn fenced(&self, tx: &TenantTx, function: &'static str) -> Result<(), DbErr> {
        let values = vec![self.claimed.id.into(), self.claimed.fence.into()];
        tx.at_commit(function, values)
    }
}

/// Why a transaction wasn't committed: by what was done in it, or by the database.
enum Refused<E> {
    Work(E),
    Db(DbErr),
}

impl<E> From<DbErr> for Refused<E> {
    fn from(error: DbErr) -> Self {
        Self::Db(error)
    }
}

impl<E: From<JobError> + From<DbErr>> Refused<E> {
    fn into_error(self) -> E {
        match self {
            Self::Work(error) => error,
            Self::Db(error) if is_job_lost(&error) => JobError::Lost.into(),
            Self::Db(error) => error.into(),
        }
    }
}
