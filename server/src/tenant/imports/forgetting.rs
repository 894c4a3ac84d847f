//! Imports that are long over: their rows, samples and journals go, a few at a time; their numbers stay.
//! One that nobody takes any further comes to an end first.

use std::collections::HashSet;
use std::time::Duration;

use ::entity::tenant::import::{Column, Entity};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait, QueryFilter, QuerySelect,
    Statement,
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::model::Status;
use super::notice;
use super::store::{self, Turn};
use super::wire::AcceptedOut;
use super::work::{Halt, turn};
use crate::audit::Change;
use crate::db::TenantTx;
use crate::events;
use crate::jobs::{Handled, JobError, Outcome, Task};
use crate::state::AppState;
use crate::storage::{Shelf, StorageKey};

/// Rows that are removed by one statement.
const ROWS: u64 = 5000;
/// Imports that are looked up together.
const IMPORTS: u64 = 100;
/// The migration that brings their tables.
const TABLE: &str = "m0012_imports";

/// Where an import waits for somebody.
const WAITING: [Status; 4] = [
    Status::Uploaded,
    Status::Reading,
    Status::Ready,
    Status::Queued,
];
/// Where an import is over, and its file with it.
const OVER: [Status; 4] = [
    Status::Applied,
    Status::Failed,
    Status::Cancelled,
    Status::Undone,
];

/// Forgets what one dealer's old imports did, import by import.
pub(super) async fn forget(state: &AppState, task: &Task) -> Handled {
    let (db, now) = (task.db()?, state.clock.now());
    if !db.tenant().has(TABLE) {
        return Ok(Outcome::Done);
    }
    let until = now - time::Duration::days(state.config.imports.retention_days.into());
    for status in [&WAITING, &OVER] {
        loop {
            let ids = db.read(async |tx| old(tx, status, until).await).await?;
            if ids.is_empty() {
                break;
            }
            for id in ids {
                if task.is_to_end() {
                    return Ok(Outcome::Later(Duration::ZERO));
                }
                if status == &WAITING {
                    cancel(state, task, id, until).await?;
                } else {
                    forget_one(task, id).await?;
                }
                let key = StorageKey::of(db.tenant().key(), Shelf::Imports, id);
                state.storage.delete(&key).await.map_err(JobError::retry)?;
            }
        }
    }
    Ok(Outcome::Done)
}

/// Those of these imports whose files are needed.
pub async fn files_needed(tx: &TenantTx, ids: &[Uuid]) -> Result<HashSet<Uuid>, DbErr> {
    let needed = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::Id.is_in(ids.iter().copied()))
        .filter(Column::Status.is_not_in(OVER.map(Status::as_str)));
    let needed: Vec<Uuid> = needed.into_tuple().all(tx).await?;
    Ok(needed.into_iter().collect())
}

/// Some imports that have stood there for long.
async fn old(tx: &TenantTx, status: &[Status], until: OffsetDateTime) -> Result<Vec<Uuid>, DbErr> {
    let old = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::Details.ne("gone"))
        .filter(Column::UpdatedAt.lt(until))
        .filter(Column::Status.is_in(status.iter().map(|it| it.as_str())))
        .limit(IMPORTS);
    old.into_tuple().all(tx).await
}

/// Ends an import that nobody wants: it has done nothing yet.
async fn cancel(
    state: &AppState,
    task: &Task,
    id: Uuid,
    until: OffsetDateTime,
) -> Result<(), JobError> {
    let now = state.clock.now();
    let cancelled = task
        .step(async |tx| {
            let before = store::find_locked(tx, id).await?;
            if before.row.updated_at >= until {
                return Err(Halt::Turned);
            }
            turn(tx, id, (&WAITING, Status::Cancelled), Turn::default(), now).await?;
            let after = store::find(tx, id).await?;
            let (was, is) = (AcceptedOut::from(&before), AcceptedOut::from(&after));
            let change = Change::new("import.cancel", "import", id).from_to(&was, &is);
            events::record(tx, &task.stamp(now), &change).await?;
            notice::status(tx, &after, now).await?;
            Ok(())
        })
        .await;
    match cancelled {
        // Somebody came to it in the meantime.
        Ok(()) | Err(Halt::Turned | Halt::Ending) => Ok(()),
        Err(Halt::Job(error)) => Err(error),
        Err(Halt::Import(error)) => Err(JobError::retry(error)),
    }
}

/// First there is no way back any more, then the rows go, and last it is noted that they are gone:
/// whoever dies in between leaves the rest to the next.
async fn forget_one(task: &Task, id: Uuid) -> Result<(), JobError> {
    let is_over: Result<bool, JobError> = task
        .step(async |tx| Ok(note(tx, id, ("kept", "going")).await?))
        .await;
    if !is_over? {
        return Ok(());
    }
    for table in ["import_row", "import_change"] {
        loop {
            let removed: Result<u64, JobError> =
                task.step(async |tx| Ok(remove(tx, table, id).await?)).await;
            if removed? == 0 {
                break;
            }
        }
    }
    task.step(async |tx| {
        note(tx, id, ("going", "gone")).await?;
        Ok(())
    })
    .await
}

/// Whether it was so, or is so already. An import that somebody undoes in the meantime is left alone.
async fn note(tx: &TenantTx, id: Uuid, (from, to): (&str, &str)) -> Result<bool, DbErr> {
    let over: Vec<String> = OVER.iter().map(|it| it.as_str().to_owned()).collect();
    let sql = "UPDATE import SET details = $3, summary = summary - 'samples',
            version = version + (details = 'kept')::int
        WHERE id = $1 AND details IN ($2, $3) AND status = ANY($4)";
    let values = [id.into(), from.into(), to.into(), over.into()];
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    Ok(tx.execute_raw(statement).await?.rows_affected() == 1)
}

async fn remove(tx: &TenantTx, table: &str, import: Uuid) -> Result<u64, DbErr> {
    // By where they lie. What moves in that moment is left to the next round.
    let sql = format!(
        "DELETE FROM {table} WHERE ctid = ANY(ARRAY(
            SELECT ctid FROM {table} WHERE import_id = $1 LIMIT $2))"
    );
    let values = [import.into(), ROWS.into()];
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    Ok(tx.execute_raw(statement).await?.rows_affected())
}
