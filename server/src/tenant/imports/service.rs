//! Use cases of imports. What takes long is done by [`super::work`].

use ::entity::tenant::import_row;
use serde_json::Value as Json;
use std::time::Duration;
use time::OffsetDateTime;
use uuid::Uuid;

use super::error::ImportError;
use super::jobs::{ApplyImport, ReadImport, UndoImport};
use super::journal;
use super::model::{Arrived, Kind, Options, Status};
use super::notice;
use super::rows;
use super::store::{self, Import, Turn};
use crate::db::TenantTx;
use crate::jobs::{Enqueue, enqueue};
use crate::kernel::{Cursor, Page};

/// A file that has arrived, and what is to become of it.
#[derive(Debug, Clone)]
pub(super) struct NewImport {
    pub arrived: Arrived,
    pub profile: Option<Uuid>,
    pub mapping: Option<Json>,
    pub options: Options,
    /// The member who sent it, or whose key did.
    pub by: Uuid,
}

pub(super) async fn list(
    tx: &TenantTx,
    limit: u64,
    cursor: Option<Cursor>,
) -> Result<Page<Import>, ImportError> {
    let before = cursor.map(|cursor| cursor.key::<Uuid>()).transpose()?;
    let imports = store::page(tx, before, limit + 1).await?;
    Ok(Page::of(imports, limit, |import| import.row.id))
}

pub(super) async fn find(tx: &TenantTx, id: Uuid) -> Result<Import, ImportError> {
    store::find(tx, id).await
}

/// Rows of an import that are told of, in the order of the file.
pub(super) async fn rows(
    tx: &TenantTx,
    id: Uuid,
    kind: Kind,
    limit: u64,
    cursor: Option<Cursor>,
) -> Result<Page<import_row::Model>, ImportError> {
    if !store::find(tx, id).await?.has_details() {
        return Err(ImportError::Forgotten);
    }
    let after = cursor.map(|cursor| cursor.key::<i64>()).transpose()?;
    let rows = rows::page(tx, id, kind, after.unwrap_or_default(), limit + 1).await?;
    Ok(Page::of(rows, limit, |row| row.number))
}

/// Takes a file in, and has it read.
pub(super) async fn create(
    tx: &TenantTx,
    new: &NewImport,
    now: OffsetDateTime,
) -> Result<Import, ImportError> {
    let asked = (new.profile, new.mapping.clone(), &new.options);
    let import = store::insert(tx, &new.arrived, asked, new.by, now).await?;
    let job = ReadImport {
        import: import.row.id,
    };
    let job = enqueue(tx, &job, Enqueue::now()).await?;
    let at = (&[Status::Uploaded][..], Status::Uploaded);
    let turn = Turn {
        job: Some(job),
        ..Turn::default()
    };
    store::turn(tx, import.row.id, at, turn, now).await?;
    store::find(tx, import.row.id).await
}

/// Has an import applied that was read.
pub(super) async fn apply(
    tx: &TenantTx,
    id: Uuid,
    now: OffsetDateTime,
) -> Result<(Import, Import), ImportError> {
    let before = store::find_locked(tx, id).await?;
    if before.status != Status::Ready {
        return Err(ImportError::StatusWrong(before.status));
    }
    let rejected = before.summary.counts.rejected;
    if before.options.refuses(rejected) {
        return Err(ImportError::TooManyRejected(rejected));
    }
    let job = enqueue(tx, &ApplyImport { import: id }, Enqueue::now()).await?;
    let turn = Turn {
        job: Some(job),
        ..Turn::default()
    };
    let after = turned(tx, &before, Status::Queued, turn, now).await?;
    Ok((before, after))
}

/// Stops an import. What is being applied is taken back by its job.
pub(super) async fn cancel(
    tx: &TenantTx,
    id: Uuid,
    now: OffsetDateTime,
) -> Result<(Import, Import), ImportError> {
    let before = store::find_locked(tx, id).await?;
    let to = match before.status {
        Status::Uploaded | Status::Reading | Status::Ready | Status::Queued => Status::Cancelled,
        Status::Applying => Status::Cancelling,
        status => return Err(ImportError::StatusWrong(status)),
    };
    if to == Status::Cancelling {
        // Should its own job be lost, somebody takes back what it did all the same.
        enqueue(tx, &UndoImport { import: id }, Enqueue::now()).await?;
    }
    let after = turned(tx, &before, to, Turn::default(), now).await?;
    if to == Status::Cancelled {
        notice::status(tx, &after, now).await?;
    }
    Ok((before, after))
}

/// Has the import that was applied last taken back, or what is left of one that failed.
pub(super) async fn undo(
    tx: &TenantTx,
    id: Uuid,
    now: OffsetDateTime,
) -> Result<(Import, Import), ImportError> {
    let before = store::find_locked(tx, id).await?;
    match before.status {
        Status::Applied if !before.has_details() => return Err(ImportError::Forgotten),
        Status::Applied if store::last_applied(tx).await? != Some(id) => {
            return Err(ImportError::NotLast);
        }
        Status::Applied => {}
        // It failed half-way, and taking it back did, too. Others came after it by now, and items that
        // they have changed are left alone.
        Status::Failed if journal::has_more(tx, id).await? => {}
        status => return Err(ImportError::StatusWrong(status)),
    }
    // One that is at work takes a moment; the job waits for it, and then finds itself not the last.
    let job = enqueue(
        tx,
        &UndoImport { import: id },
        Enqueue::now().unique(id.to_string(), Duration::ZERO),
    )
    .await?;
    let turn = Turn {
        job: Some(job),
        ..Turn::default()
    };
    let after = turned(tx, &before, Status::Undoing, turn, now).await?;
    Ok((before, after))
}

async fn turned(
    tx: &TenantTx,
    import: &Import,
    to: Status,
    turn: Turn<'_>,
    now: OffsetDateTime,
) -> Result<Import, ImportError> {
    store::turn(tx, import.row.id, (&[import.status], to), turn, now).await?;
    store::find(tx, import.row.id).await
}
