//! One export, from rows to a file in storage.

use std::collections::HashMap;

use ::entity::tenant::export::Model;
use serde_json::json;
use uuid::Uuid;

use super::column::{Cell, Column};
use super::error::ExportError;
use super::jobs::file_of;
use super::service;
use super::sheet::{Sheet, SheetError};
use super::wire::FormatIn;
use crate::audit::Change;
use crate::db::TenantDb;
use crate::events;
use crate::jobs::{Handled, JobError, Outcome, Task};
use crate::state::AppState;
use crate::storage::{PutError, is_full, pieces};
use crate::tenant::catalog::CatalogError;
use crate::tenant::catalog::items::{ItemFilter, group_paths, take};
use crate::tenant::notifications::{Audience, Kind, Notice, notify};

/// Items read at a time, each time in a transaction of its own.
const ROWS: u64 = 1000;
/// Pages after which it is noted how far it has come.
const NOTED_AFTER: u64 = 20;

/// What keeps a file from being written.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error(transparent)]
    Job(#[from] JobError),
    #[error(transparent)]
    Sheet(#[from] SheetError),
    #[error("the items could not be read: {0}")]
    Items(#[from] CatalogError),
    #[error("the file could not be kept: {0}")]
    Kept(#[from] PutError<std::io::Error>),
    #[error("it asks for what this version doesn't know")]
    Unknown,
}

impl Fault {
    fn is_full(&self) -> bool {
        match self {
            Self::Sheet(cause) => cause.is_full(),
            Self::Kept(cause) => is_full(cause),
            Self::Job(_) | Self::Items(_) | Self::Unknown => false,
        }
    }

    /// As whoever asked for the file is told.
    fn told(&self) -> String {
        match self.is_full() {
            true => "there is no room for the file on our side".to_owned(),
            false => self.to_string(),
        }
    }
}

/// Writes the file. An attempt begins anew: the file takes the place of one that was begun before.
pub(super) async fn write(state: &AppState, task: &Task, id: Uuid) -> Handled {
    let found = task
        .db()?
        .read(async |tx| match service::find(tx, id).await {
            Ok(export) => Ok(Some(export)),
            Err(ExportError::Db(error)) => Err(error),
            Err(_) => Ok(None),
        })
        .await?;
    // It is over already, or its time is.
    let Some(export) = found.filter(|export| export.state == "pending") else {
        return Ok(Outcome::Done);
    };
    match file(state, task, export).await {
        Ok(outcome) => Ok(outcome),
        Err(Fault::Job(JobError::Lost)) => Err(JobError::Lost),
        // What has failed for good is ended by what follows the death of its job.
        Err(fault) => {
            let is_hopeless = matches!(
                fault,
                Fault::Unknown
                    | Fault::Sheet(SheetError::TooManyRows)
                    | Fault::Kept(PutError::TooLarge { .. })
            );
            Err(match fault {
                Fault::Job(error) => error,
                // The last time it is no passing shortage, and a reason that can be told.
                fault if is_hopeless || (fault.is_full() && task.is_last_attempt()) => {
                    JobError::discard(fault.told())
                }
                fault => JobError::retry(fault),
            })
        }
    }
}

async fn file(state: &AppState, task: &Task, export: Model) -> Result<Outcome, Fault> {
    let columns: Option<Vec<_>> = export.columns.iter().map(|it| Column::named(it)).collect();
    let columns = columns.ok_or(Fault::Unknown)?;
    let filter = serde_json::from_value(export.filter.clone()).map_err(|_| Fault::Unknown)?;
    let format = FormatIn::named(&export.format);
    let Some((sheet, rows)) = filled(task, export.id, (format, &columns), &filter).await? else {
        return Ok(Outcome::Later(std::time::Duration::ZERO));
    };
    let file = tokio::task::spawn_blocking(move || sheet.finish());
    let file = file.await.map_err(JobError::retry)??;
    let limit = state.config.exports.max_mib * 1024 * 1024;
    let key = file_of(task.db()?.tenant().key(), export.id);
    let stored = state.storage.put(&key, pieces(file), limit).await?;
    let now = state.clock.now();
    let size = (
        i64::try_from(rows).unwrap_or(i64::MAX),
        i64::try_from(stored.bytes).unwrap_or(i64::MAX),
    );
    let finished: Result<Outcome, JobError> = task
        .finish(async |tx| {
            let before = super::wire::ExportOut::from(export.clone());
            let after = service::complete(tx, export.clone(), size, now).await?;
            let change = Change::new("export.finish", "export", export.id)
                .from_to(&before, &super::wire::ExportOut::from(after));
            events::record(tx, &task.stamp(now), &change).await?;
            let notice = Notice {
                audience: Audience::Members(vec![export.member_id]),
                kind: Kind::ExportReady,
                data: json!({"id": export.id}),
            };
            let outbox = state.mailer.of(task.db()?.tenant().key());
            Ok(notify(tx, &outbox, &notice, now).await?)
        })
        .await;
    Ok(finished?)
}

/// The file with all its rows; nothing when whoever writes it is to stop.
async fn filled(
    task: &Task,
    id: Uuid,
    (format, columns): (FormatIn, &[Column]),
    filter: &ItemFilter,
) -> Result<Option<(Sheet, u64)>, Fault> {
    let db: &TenantDb = task.db()?;
    let groups = db.read(async |tx| group_paths(tx).await).await?;
    let levels = groups.values().map(Vec::len).max().unwrap_or(0);
    let mut sheet = Sheet::begin(format)?;
    let headers = columns.iter().flat_map(|column| column.headers(levels));
    sheet.add(&headers.map(Cell::Text).collect::<Vec<_>>())?;
    let (mut rows, mut page, mut after) = (0_u64, 0_u64, None::<String>);
    loop {
        if task.is_to_end() {
            return Ok(None);
        }
        let last = after.as_deref();
        let items = db
            .read(async |tx| take(tx, filter, last, ROWS).await)
            .await?;
        for item in &items {
            sheet.add(&cells(item, columns, &groups, levels))?;
        }
        let read = items.len() as u64;
        (rows, page) = (rows + read, page + 1);
        if read < ROWS {
            return Ok(Some((sheet, rows)));
        }
        after = items.last().map(|item| item.item.sku.clone());
        if page.is_multiple_of(NOTED_AFTER) {
            let so_far = i64::try_from(rows).unwrap_or(i64::MAX);
            let noted: Result<(), JobError> = task
                .step(async |tx| Ok(service::note(tx, id, so_far).await?))
                .await;
            noted?;
        }
    }
}

fn cells(
    item: &crate::tenant::catalog::items::TakenItem,
    columns: &[Column],
    groups: &HashMap<Uuid, Vec<String>>,
    levels: usize,
) -> Vec<Cell> {
    let group = item.item.group_id.and_then(|id| groups.get(&id));
    let group = group.map_or(&[][..], Vec::as_slice);
    columns
        .iter()
        .flat_map(|column| column.cells(item, group, levels))
        .collect()
}
