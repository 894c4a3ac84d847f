//! Ends an import whose job has died, so that nobody waits for it and no other import waits behind it.
//!
//! What was being applied is taken back by a job that reads no file, so whatever killed the first one
//! does it no harm; when that one dies, too, the import fails all the same, says so, and can be undone
//! by whoever asks for it. What was being undone is an applied import again, with what is left to undo.
//! The dead letter itself can be tried again, and finds an import that is over: the file is sent again
//! instead.

use uuid::Uuid;

use super::error::ImportError;
use super::jobs::UndoImport;
use super::model::Status;
use super::notice;
use super::store::{self, Turn};
use super::work::told;
use crate::jobs::{Aftermath, Enqueue, JobError, enqueue};
use crate::state::AppState;
use crate::tenant::notifications::Kind;

/// What the job was about that died.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Died {
    /// Reading the file, or applying it.
    Loading,
    /// Taking back what it did.
    TakingBack,
}

pub(super) async fn end(
    aftermath: &Aftermath<'_, AppState>,
    id: Uuid,
    died: Died,
) -> Result<(), JobError> {
    let (tx, state) = (aftermath.tx, aftermath.state);
    let now = state.clock.now();
    let import = match store::find_locked(tx, id).await {
        Ok(import) => import,
        Err(ImportError::NotFound) => return Ok(()),
        Err(error) => return Err(JobError::retry(told(&error))),
    };
    let has_failed = import.row.error.is_some();
    let (to, because) = match (import.status, died) {
        (Status::Uploaded | Status::Reading | Status::Queued, _) => {
            (Status::Failed, Some(ImportError::GivenUp))
        }
        (Status::Applying, _) => (Status::Cancelling, Some(ImportError::GivenUp)),
        // It was stopped or has failed already, and somebody else is to take it back.
        (Status::Cancelling | Status::Undoing, Died::Loading) => (import.status, None),
        (Status::Cancelling, Died::TakingBack) => (Status::Failed, Some(ImportError::LeftBehind)),
        (Status::Undoing, Died::TakingBack) if has_failed => {
            (Status::Failed, Some(ImportError::LeftBehind))
        }
        (Status::Undoing, Died::TakingBack) => (Status::Applied, None),
        (
            Status::Ready | Status::Applied | Status::Failed | Status::Cancelled | Status::Undone,
            _,
        ) => return Ok(()),
    };
    tracing::error!(import.id = %id, status = import.status.as_str(), "an import was given up");
    let because = because.map(ImportError::into_told);
    let turn = Turn {
        error: because.as_ref(),
        ..Turn::default()
    };
    store::turn(tx, id, (&[import.status], to), turn, now).await?;
    // It takes back what there is, and puts the file away.
    enqueue(tx, &UndoImport { import: id }, Enqueue::now()).await?;
    let ended = store::find(tx, id).await;
    let ended = ended.map_err(|error| JobError::retry(told(&error)))?;
    notice::status(tx, &ended, now).await?;
    if because.is_some() {
        let tenant = aftermath.task.db()?.tenant().key();
        let outbox = state.mailer.of(tenant);
        notice::requester(tx, &outbox, &ended, Kind::ImportFailed, now).await?;
    }
    Ok(())
}
