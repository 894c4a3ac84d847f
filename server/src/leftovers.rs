//! Files in storage that nothing belongs to any more: what a crash left behind, and what was left of
//! tenants that are gone for good.
//!
//! Invariants: a file that was touched within a day is left alone, for whoever sends or writes it may
//! not have said so yet; files of a tenant go only with the platform's word for it.

use std::collections::HashSet;
use std::time::Duration;

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::config::Config;
use crate::db::PlatformTx;
use crate::jobs::{Handled, Job, JobError, Outcome, Registry, Retry, Task, Whose};
use crate::kernel::TenantKey;
use crate::state::AppState;
use crate::storage::{Lying, Shelf};
use crate::tenant::{exports, imports};

/// How long a file is left alone after it was touched.
const LEFT_ALONE: time::Duration = time::Duration::DAY;
/// Files, or tenants, that are asked about together.
const MANY: usize = 500;
/// The migration that brings the tables of those who keep files.
const TABLES: &str = "m0012_imports";
const FEW: Retry = Retry {
    attempts: 3,
    first: Duration::from_secs(10),
    most: Duration::from_secs(60),
};
const LONGEST: Duration = Duration::from_secs(600);

/// Removes one dealer's files that nothing of it belongs to.
#[derive(Debug, Serialize, Deserialize)]
struct SweepFiles {}

/// Removes the files of dealers that are gone.
#[derive(Debug, Serialize, Deserialize)]
struct SweepDealers {}

impl Job for SweepFiles {
    const KIND: &'static str = "storage.sweep";
    const RETRY: Retry = FEW;
    const TIMEOUT: Duration = LONGEST;
}

impl Job for SweepDealers {
    const KIND: &'static str = "storage.sweep_dealers";
    const RETRY: Retry = FEW;
    const TIMEOUT: Duration = LONGEST;
}

/// Adds both, and their time.
pub(crate) fn register(registry: Registry<AppState>, config: &Config) -> Registry<AppState> {
    let at = &config.worker.files;
    registry
        .with(async |state, task, SweepFiles {}| sweep(&state, &task).await)
        .with(async |state, task, SweepDealers {}| sweep_dealers(&state, &task).await)
        .every(at, Whose::Tenants, |_| SweepFiles {})
        .every(at, Whose::Platform, |_| SweepDealers {})
}

async fn sweep(state: &AppState, task: &Task) -> Handled {
    let (db, until) = (task.db()?, state.clock.now() - LEFT_ALONE);
    if !db.tenant().has(TABLES) {
        return Ok(Outcome::Done);
    }
    let mut removed = 0;
    for shelf in Shelf::ALL {
        for some in lying(state, db.tenant().key(), shelf, until)
            .await?
            .chunks(MANY)
        {
            if task.is_to_end() {
                return Ok(Outcome::Later(Duration::ZERO));
            }
            let ids: Vec<_> = some.iter().map(|file| file.id).collect();
            let needed = db
                .read(async |tx| match shelf {
                    Shelf::Imports => imports::files_needed(tx, &ids).await,
                    Shelf::Exports => exports::files_needed(tx, &ids).await,
                })
                .await?;
            let nobodys = some.iter().filter(|file| !needed.contains(&file.id));
            removed += remove(state, nobodys).await?;
        }
    }
    if removed > 0 {
        tracing::info!(removed, "files that were left behind were removed");
    }
    Ok(Outcome::Done)
}

/// Nodes have their tenants, but storage is everybody's: whoever comes second finds nothing.
async fn sweep_dealers(state: &AppState, task: &Task) -> Handled {
    let until = state.clock.now() - LEFT_ALONE;
    let tenants = state.storage.tenants().await.map_err(JobError::retry)?;
    for some in tenants.chunks(MANY) {
        let ids: Vec<_> = some.iter().map(|tenant| tenant.id()).collect();
        let platform = state.directory.platform();
        let known = platform.read(async |tx| known(tx, &ids).await).await?;
        // A platform without any is one that was set up a moment ago, over an old storage.
        let Some(known) = known else {
            tracing::warn!("storage has files, and the platform no dealers: nothing is removed");
            return Ok(Outcome::Done);
        };
        for tenant in some.iter().filter(|tenant| !known.contains(&tenant.id())) {
            if task.is_to_end() {
                return Ok(Outcome::Later(Duration::ZERO));
            }
            let mut removed = 0;
            for shelf in Shelf::ALL {
                let files = lying(state, *tenant, shelf, until).await?;
                removed += remove(state, files.iter()).await?;
            }
            state.storage.remove_folders(*tenant).await;
            if removed > 0 {
                tracing::info!(tenant.id = %tenant, removed, "files of a dealer that is gone were removed");
            }
        }
    }
    Ok(Outcome::Done)
}

async fn lying(
    state: &AppState,
    tenant: TenantKey,
    shelf: Shelf,
    until: OffsetDateTime,
) -> Result<Vec<Lying>, JobError> {
    let found = state.storage.lying(tenant, shelf, until).await;
    found.map_err(JobError::retry)
}

async fn remove(state: &AppState, files: impl Iterator<Item = &Lying>) -> Result<u64, JobError> {
    let mut removed = 0;
    for file in files {
        let gone = state.storage.remove(file).await;
        gone.map_err(JobError::retry)?;
        removed += 1;
    }
    Ok(removed)
}

/// Those of these tenants that are not gone: archived ones may come back. Nothing where there is no
/// tenant at all.
async fn known(tx: &PlatformTx, ids: &[Uuid]) -> Result<Option<HashSet<Uuid>>, DbErr> {
    let sql = "SELECT EXISTS (SELECT FROM platform.tenant) AS has_any,
        ARRAY(SELECT id FROM platform.tenant WHERE id = ANY($1) AND status <> 'gone') AS known";
    let values = [ids.to_vec().into()];
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    let row = tx.query_one_raw(statement).await?;
    let row = row.ok_or_else(|| DbErr::RecordNotFound("the platform's tenants".to_owned()))?;
    let known: Vec<Uuid> = row.try_get("", "known")?;
    let has_any: bool = row.try_get("", "has_any")?;
    Ok(has_any.then(|| known.into_iter().collect()))
}
