//! Writing exports, and removing those whose time is over.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{ending, service, writing};
use crate::config::Config;
use crate::jobs::{Aftermath, Handled, Job, JobError, Queue, Registry, Retry, Task, Whose};
use crate::kernel::TenantKey;
use crate::state::AppState;
use crate::storage::{Shelf, StorageKey};

/// Exports removed by one statement.
const MANY: u64 = 100;
/// The migration that brings their table.
const TABLE: &str = "m0012_imports";

/// Writes the file of an export.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct WriteExport {
    pub export: Uuid,
}

/// Removes exports whose time is over, with their files.
#[derive(Debug, Serialize, Deserialize)]
struct PurgeExports {}

impl Job for WriteExport {
    const KIND: &'static str = "export.write";
    const QUEUE: Queue = Queue::Bulk;
    const RETRY: Retry = Retry {
        attempts: 5,
        first: Duration::from_secs(5),
        most: Duration::from_secs(300),
    };
    const TIMEOUT: Duration = Duration::from_secs(3600);
}

impl Job for PurgeExports {
    const KIND: &'static str = "export.purge";
    const RETRY: Retry = Retry {
        attempts: 3,
        first: Duration::from_secs(10),
        most: Duration::from_secs(60),
    };
}

/// Adds what this domain does in the background.
pub fn register(registry: Registry<AppState>, config: &Config) -> Registry<AppState> {
    registry
        .with(async |state, task, job: WriteExport| writing::write(&state, &task, job.export).await)
        .after_death(async |it: &Aftermath<'_, AppState>, job: WriteExport| {
            ending::end(it, job.export).await
        })
        .with(async |state, task, PurgeExports {}| purge(&state, &task).await)
        .every(&config.worker.purge, Whose::Tenants, |_| PurgeExports {})
}

/// Files first: a row without a file is removed the next time, a file without a row never.
async fn purge(state: &AppState, task: &Task) -> Handled {
    let (db, now) = (task.db()?, state.clock.now());
    while db.tenant().has(TABLE) && !task.is_to_end() {
        let ids = db
            .read(async |tx| service::expired(tx, MANY, now).await)
            .await?;
        if ids.is_empty() {
            break;
        }
        for id in &ids {
            let removed = state.storage.delete(&file_of(db.tenant().key(), *id)).await;
            removed.map_err(JobError::retry)?;
        }
        let forgotten: Result<(), JobError> = task
            .step(async |tx| Ok(service::forget(tx, &ids).await?))
            .await;
        forgotten?;
    }
    Ok(crate::jobs::Outcome::Done)
}

/// Where the file of an export lies.
pub(super) fn file_of(tenant: TenantKey, export: Uuid) -> StorageKey {
    StorageKey::of(tenant, Shelf::Exports, export)
}
