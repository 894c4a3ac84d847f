//! The one gate that a request's writes pass: one transaction, one record in the audit trail, and
//! one answer, which is kept if the client named the request.

use actix_web::{HttpRequest, HttpResponse};
use sea_orm::DbErr;
use time::Duration;

use super::answer::{Answer, Done};
use super::client::client_address;
use super::idempotency::{Before, Once};
use super::problem::Problem;
use super::request::RequestId;
use crate::audit::{self, Actor, Stamp};
use crate::db::{TenantDb, TenantTx};
use crate::state::AppState;

/// Opens a dealer's rows for writing, on record.
#[derive(Debug, Clone)]
pub struct Gate {
    req: HttpRequest,
    db: TenantDb,
    actor: Actor,
}

/// How a transaction ended: done, or not even begun because it was done before.
enum Outcome {
    Done(Answer),
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
        Stamp {
            actor: self.actor,
            request_id: RequestId::of(&self.req).map(|id| id.to_string()),
            address: client_address(&self.req).map(|address| address.to_string()),
            at: AppState::of(&self.req).clock.now(),
        }
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
        let state = AppState::of(&self.req);
        let stamp = self.stamp();
        let tenant = self.db.tenant().key();
        let once = Once::wanted(&self.req, tenant, self.actor.scope())?;
        let kept_for = Duration::hours(state.config.http.idempotency_hours.into());
        let outcome = self
            .db
            .write(async |tx| {
                if let Some(once) = &once {
                    match once.begin(tx, &state.sealer, stamp.at).await? {
                        Before::Never => {}
                        Before::Answered(answer) => return Ok(Outcome::Before(answer)),
                        Before::Refused(code) => return Err(Trouble::Refused(Problem::new(code))),
                    }
                }
                let done = work(tx).await.map_err(Trouble::Work)?;
                if let Some(once) = &once {
                    let times = (stamp.at, kept_for);
                    once.keep(tx, &state.sealer, &done.answer, times).await?;
                }
                audit::append(tx, &stamp, &done.change).await?;
                Ok(Outcome::Done(done.answer))
            })
            .await;
        match outcome {
            Ok(Outcome::Done(answer) | Outcome::Before(answer)) => Ok(answer.into_response()),
            Err(Trouble::Work(error)) => Err(error.into()),
            Err(Trouble::Refused(problem)) => Err(problem),
            Err(Trouble::Db(error)) => Err(Problem::database(&error)),
        }
    }
}
