//! The one gate that a request's writes pass: one transaction, one record in the audit trail, and
//! one answer, which is kept if the client named the request.

use actix_web::{HttpRequest, HttpResponse};
use sea_orm::DbErr;

use super::answer::{Answer, Done, Ending};
use super::client::client_address;
use super::code::Code;
use super::idempotency::{Before, Once};
use super::problem::Problem;
use super::request::RequestId;
use crate::audit::{Actor, Change, Stamp};
use crate::db::{TenantDb, TenantTx};
use crate::events;
use crate::state::AppState;

/// Seconds after which a request that is being done right now may be answered.
const BUSY_SECONDS: u64 = 1;

/// Opens a dealer's rows for writing, on record.
#[derive(Debug, Clone)]
pub struct Gate {
    req: HttpRequest,
    db: TenantDb,
    actor: Actor,
    /// Whether requests may be named: see [`super::idempotency`].
    takes_keys: bool,
}

/// A transaction that its holder ends, through the gate all the same: for work in many steps that
/// must not be repeated, such as a stream of rows. Dropped, it rolls back.
#[derive(Debug)]
pub struct Passage {
    tx: TenantTx,
    stamp: Stamp,
    once: Option<Once>,
}

/// Whether there is something to do.
#[derive(Debug)]
pub enum Entry {
    /// There is.
    Open(Box<Passage>),
    /// It was done before; this was the answer.
    Before(HttpResponse),
}

/// How a transaction ended: done, or not even begun because it was done before.
enum Outcome {
    Done(Ending),
    Before(Answer),
}

/// Why it did not.
enum Trouble<E> {
    Work(E),
    Refused(Problem),
    Db(DbErr),
}

impl<E> From<DbErr> for Trouble<E> {
    fn from(error: DbErr) -> Self {
        Self::Db(error)
    }
}

impl Gate {
    pub(super) fn new(req: &HttpRequest, db: TenantDb, actor: Actor) -> Self {
        Self {
            req: req.clone(),
            db,
            actor,
            takes_keys: actor != Actor::Anonymous,
        }
    }

    /// The same gate, once it is known who goes through it.
    #[must_use]
    pub fn by(&self, actor: Actor) -> Self {
        Self {
            actor,
            ..self.clone()
        }
    }

    /// The same request's gate to another dealer's rows.
    #[must_use]
    pub fn at(&self, db: TenantDb, actor: Actor) -> Self {
        Self {
            db,
            actor,
            ..self.clone()
        }
    }

    /// What a record says of this request.
    pub fn stamp(&self) -> Stamp {
        stamp(&self.req, self.actor)
    }

    /// Runs `work` in one transaction, with the record of what it did. A POST with an
    /// `Idempotency-Key` that was done before is answered as it was, and not done again.
    ///
    /// # Errors
    ///
    /// What `work` says; `idempotency-key-…` for a key that is busy, or was another request's.
    pub async fn write<E>(
        &self,
        work: impl AsyncFn(&TenantTx) -> Result<Done, E>,
    ) -> Result<HttpResponse, Problem>
    where
        Problem: From<E>,
    {
        let (stamp, once) = (self.stamp(), self.once()?);
        let outcome = self
            .db
            .write(async |tx| {
                if let Some(once) = &once {
                    match once.begin(tx).await? {
                        Before::Never => {}
                        Before::Answered(answer) => return Ok(Outcome::Before(answer)),
                        Before::Refused(code) => return Err(Trouble::Refused(refused(code))),
                    }
                }
                let done = work(tx).await.map_err(Trouble::Work)?;
                if let (Some(once), Ending::Answered(answer)) = (&once, &done.ending) {
                    once.keep(tx, answer).await?;
                }
                events::record(tx, &stamp, &done.change).await?;
                Ok(Outcome::Done(done.ending))
            })
            .await;
        match outcome {
            Ok(Outcome::Done(Ending::Answered(answer)) | Outcome::Before(answer)) => {
                Ok(answer.into_response())
            }
            Ok(Outcome::Done(Ending::Refused(problem))) | Err(Trouble::Refused(problem)) => {
                Err(problem)
            }
            Err(Trouble::Work(error)) => Err(error.into()),
            Err(Trouble::Db(error)) => Err(Problem::database(&error)),
        }
    }

    /// Opens a transaction that its holder ends.
    ///
    /// # Errors
    ///
    /// `idempotency-key-…` as in [`Gate::write`]; when the transaction can't be opened.
    pub async fn enter(&self) -> Result<Entry, Problem> {
        let (stamp, once) = (self.stamp(), self.once()?);
        let tx = self.db.begin().await?;
        if let Some(once) = &once {
            match once.begin(&tx).await? {
                Before::Never => {}
                Before::Answered(answer) => return Ok(Entry::Before(answer.into_response())),
                Before::Refused(code) => return Err(refused(code)),
            }
        }
        Ok(Entry::Open(Box::new(Passage { tx, stamp, once })))
    }

    fn once(&self) -> Result<Option<Once>, Problem> {
        if !self.takes_keys {
            return Ok(None);
        }
        Once::wanted(&self.req, self.db.tenant().key(), self.actor.scope())
    }
}

impl Passage {
    /// The transaction.
    pub fn tx(&self) -> &TenantTx {
        &self.tx
    }

    /// Whether the client named the request, so that its answer is to be kept.
    pub fn keeps_the_answer(&self) -> bool {
        self.once.is_some()
    }

    /// Puts it on record and commits. The answer is kept if the client named the request.
    ///
    /// # Errors
    ///
    /// When the database refuses; then nothing was done.
    pub async fn leave(self, change: &Change, answer: Option<&Answer>) -> Result<(), DbErr> {
        if let (Some(once), Some(answer)) = (&self.once, answer) {
            once.keep(&self.tx, answer).await?;
        }
        events::record(&self.tx, &self.stamp, change).await?;
        self.tx.commit().await
    }
}

/// Puts something on a dealer's record that changes nothing of the dealer's rows, such as what an
/// operator does to it from outside or a look at what is sensitive.
///
/// # Errors
///
/// When the database refuses.
pub async fn put_on_record(
    req: &HttpRequest,
    db: &TenantDb,
    actor: Actor,
    change: &Change,
) -> Result<(), Problem> {
    let stamp = stamp(req, actor);
    db.write(async |tx| events::record(tx, &stamp, change).await)
        .await
        .map_err(|error| Problem::database(&error))
}

fn stamp(req: &HttpRequest, actor: Actor) -> Stamp {
    Stamp {
        actor,
        request_id: RequestId::of(req).map(|id| id.to_string()),
        address: client_address(req).map(|address| address.to_string()),
        at: AppState::of(req).clock.now(),
    }
}

fn refused(code: Code) -> Problem {
    let problem = Problem::new(code);
    match code {
        Code::IdempotencyKeyBusy => problem.retry_after(BUSY_SECONDS),
        _ => problem,
    }
}
