//! One import at work: from where it stands to where it rests, in short transactions.
//!
//! Every step asks whether the import still stands where its job thinks, so whoever cancels it stops
//! it; and every step of a lost job is refused by its fence. A worker that dies leaves an import that
//! the next one takes up at its checkpoint.

use std::fs::File;
use std::time::Duration;

use sea_orm::DbErr;
use uuid::Uuid;

use super::applying;
use super::error::ImportError;
use super::model::{Plan, Status};
use super::notice;
use super::pricefile::{self, DecimalSign, Mapping, Survey};
use super::reading;
use super::store::{self, Import, Turn};
use super::undoing;
use crate::db::{TenantTx, is_job_lost};
use crate::jobs::{Handled, JobError, Outcome, Task};
use crate::mail::Outbox;
use crate::state::AppState;
use crate::storage::{Shelf, StorageKey};
use crate::tenant::notifications::Kind;

/// How long an import waits for another one of its dealer.
const TURN: Duration = Duration::from_millis(500);

/// Why a phase ended early.
#[derive(Debug)]
pub(super) enum Halt {
    /// Somebody has turned the import elsewhere.
    Turned,
    /// The worker is to end.
    Ending,
    /// The job has a say.
    Job(JobError),
    /// The import has.
    Import(ImportError),
}

impl From<JobError> for Halt {
    fn from(error: JobError) -> Self {
        Self::Job(error)
    }
}

impl From<ImportError> for Halt {
    fn from(error: ImportError) -> Self {
        Self::Import(error)
    }
}

impl From<DbErr> for Halt {
    fn from(error: DbErr) -> Self {
        if is_job_lost(&error) {
            Self::Job(JobError::Lost)
        } else {
            Self::Import(error.into())
        }
    }
}

/// What every phase works with.
#[derive(Debug)]
pub(super) struct Desk<'a> {
    pub state: &'a AppState,
    pub task: &'a Task,
    /// The file as it was read last, for the next phase of the same attempt.
    read: Option<(Survey, File)>,
}

/// Takes an import from where it stands to where it rests.
pub(super) async fn work(state: &AppState, task: &Task, id: Uuid) -> Handled {
    let mut desk = Desk {
        state,
        task,
        read: None,
    };
    loop {
        let import = match find(task, id).await {
            Ok(import) => import,
            Err(ImportError::NotFound) => return Err(JobError::discard("there is no such import")),
            Err(error) => return Err(JobError::retry(told(&error))),
        };
        let done = match import.status {
            Status::Uploaded | Status::Reading => reading::read(&mut desk, &import).await,
            Status::Queued | Status::Applying => applying::apply(&mut desk, &import).await,
            Status::Cancelling | Status::Undoing => undoing::take_back(&desk, &import).await,
            Status::Ready => return Ok(Outcome::Done),
            Status::Applied | Status::Failed | Status::Cancelled | Status::Undone => {
                forget(&desk, id).await;
                return Ok(Outcome::Done);
            }
        };
        match done {
            Ok(()) | Err(Halt::Turned) => {}
            Err(Halt::Ending) => return Ok(Outcome::Later(Duration::ZERO)),
            Err(Halt::Job(error)) => return Err(error),
            Err(Halt::Import(ImportError::Running)) => return Ok(Outcome::Later(TURN)),
            Err(Halt::Import(error)) if error.is_final() => fail(&desk, &import, error).await?,
            Err(Halt::Import(error)) if !task.is_last_attempt() => {
                return Err(JobError::retry(told(&error)));
            }
            Err(Halt::Import(error)) => {
                tracing::error!(import.id = %id, error = ?error, "an import was given up");
                let is_taking_back = matches!(import.status, Status::Cancelling | Status::Undoing);
                if is_taking_back {
                    return Err(JobError::retry(told(&error)));
                }
                let told = if error.is_full() {
                    error
                } else {
                    ImportError::GivenUp
                };
                fail(&desk, &import, told).await?;
            }
        }
    }
}

impl Desk<'_> {
    /// Whether there is time for another step.
    pub(super) fn go_on(&self) -> Result<(), Halt> {
        if self.task.is_to_end() {
            return Err(Halt::Ending);
        }
        Ok(())
    }

    /// Where messages of the dealer are put down.
    pub(super) fn outbox(&self) -> Result<Outbox<'_>, JobError> {
        Ok(self.state.mailer.of(self.task.db()?.tenant().key()))
    }

    /// The file, looked through; in the second phase of an attempt it has been already.
    pub(super) async fn survey(
        &mut self,
        import: &Import,
        currency: Option<String>,
    ) -> Result<(Survey, File), Halt> {
        if let Some(read) = self.read.take() {
            return Ok(read);
        }
        let key = self.key(import.row.id)?;
        let storage = &self.state.storage;
        let file = storage.to_file(&key).await.map_err(ImportError::Storage)?;
        let mapping = asked(import)?;
        let opened = tokio::task::spawn_blocking(move || {
            let (file, mapping) = pricefile::readable(file, mapping)?;
            let returned = pricefile::returned(&file, mapping.as_ref());
            Ok::<_, ImportError>((file, mapping, returned))
        });
        let (file, mapping, returned) = opened.await.map_err(JobError::retry)??;
        let (mapping, decimal) = match returned {
            Some(columns) => self.as_before(import, mapping, &columns).await?,
            None => (mapping, None),
        };
        let options = pricefile::Options {
            mapping,
            default_currency: currency,
            duplicates: import.options.duplicates,
            max_rows: self.state.config.imports.max_rows,
            decimal,
        };
        let looked = tokio::task::spawn_blocking(move || {
            let survey = pricefile::survey(&file, &options)?;
            Ok::<_, ImportError>((survey, file))
        });
        Ok(looked.await.map_err(JobError::retry)??)
    }

    /// How rows that come back are to be read: as the file that they were rejected from, for what is
    /// left of it may not show any more which column is which.
    async fn as_before(
        &self,
        import: &Import,
        mapping: Option<Mapping>,
        columns: &[String],
    ) -> Result<(Option<Mapping>, Option<DecimalSign>), Halt> {
        let (db, id) = (self.task.db()?, import.row.id);
        let before = db
            .read(async |tx| store::mapping_of(tx, id, columns).await)
            .await?;
        let Some(before) = before else {
            return Ok((mapping, None));
        };
        let mapping = mapping.unwrap_or_default();
        // A worksheet has numbers of its own.
        let decimal = before.decimal.filter(|_| mapping.sheet.is_none());
        Ok((Some(mapping.with_columns_of(before)), decimal))
    }

    /// Keeps what was looked through for the next phase.
    pub(super) fn keep(&mut self, survey: Survey, file: File) {
        self.read = Some((survey, file));
    }

    fn key(&self, import: Uuid) -> Result<StorageKey, JobError> {
        let tenant = self.task.db()?.tenant().key();
        Ok(StorageKey::of(tenant, Shelf::Imports, import))
    }
}

/// How the file was asked to be read.
fn asked(import: &Import) -> Result<Option<Mapping>, DbErr> {
    let mapping = import.row.mapping.clone();
    let mapping = mapping.map(serde_json::from_value).transpose();
    mapping.map_err(|error| DbErr::Json(error.to_string()))
}

/// How a file is read, for those that come later.
pub(super) fn plan_of(survey: &Survey, currency: Option<String>) -> Plan {
    Plan {
        mapping: survey.mapping().clone(),
        heading: survey.heading(),
        columns: survey.own_columns().to_vec(),
        width: survey.width(),
        currency,
    }
}

/// Lets an import go on within a step, or stops the step.
pub(super) async fn turn(
    tx: &TenantTx,
    id: Uuid,
    at: (&[Status], Status),
    how: Turn<'_>,
    now: time::OffsetDateTime,
) -> Result<(), Halt> {
    match store::turn(tx, id, at, how, now).await? {
        true => Ok(()),
        false => Err(Halt::Turned),
    }
}

async fn find(task: &Task, id: Uuid) -> Result<Import, ImportError> {
    let db = task.db().map_err(|_| ImportError::NotFound)?;
    db.read(async |tx| store::find(tx, id).await).await
}

/// Ends an import that can't go well. What it has done already is taken back first.
async fn fail(desk: &Desk<'_>, import: &Import, error: ImportError) -> Result<(), JobError> {
    let (id, error) = (import.row.id, error.into_told());
    let now = desk.state.clock.now();
    let (from, to) = match import.status {
        Status::Applying => (Status::Applying, Status::Cancelling),
        Status::Queued => (Status::Applying, Status::Cancelling),
        status => (status, Status::Failed),
    };
    let failed = desk
        .task
        .step(async |tx| {
            let turn = || Turn {
                error: Some(&error),
                ..Turn::default()
            };
            // What was queued when it was looked at may be at work by now, or not.
            let is_turned = store::turn(tx, id, (&[from], to), turn(), now).await?
                || store::turn(
                    tx,
                    id,
                    (&[Status::Queued, Status::Reading], Status::Failed),
                    turn(),
                    now,
                )
                .await?;
            if is_turned {
                let failed = store::find(tx, id).await?;
                notice::status(tx, &failed, now).await?;
                let outbox = desk.outbox()?;
                notice::requester(tx, &outbox, &failed, Kind::ImportFailed, now).await?;
            }
            Ok::<_, Halt>(())
        })
        .await;
    match failed {
        Ok(()) => Ok(()),
        Err(Halt::Job(error)) => Err(error),
        Err(Halt::Import(error)) => Err(JobError::retry(told(&error))),
        Err(Halt::Turned | Halt::Ending) => Ok(()),
    }
}

/// The file of an import that is over. What is left behind is only in the way.
async fn forget(desk: &Desk<'_>, id: Uuid) {
    let Ok(key) = desk.key(id) else {
        return;
    };
    if let Err(error) = desk.state.storage.delete(&key).await {
        tracing::warn!(import.id = %id, error = ?error, "an import's file is left in storage");
    }
}

/// With what lies behind it.
pub(super) fn told(error: &ImportError) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}
