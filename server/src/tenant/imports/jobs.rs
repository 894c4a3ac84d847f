//! The background jobs of imports. Each takes an import from where it stands to where it rests, so
//! that it doesn't matter which of them comes first, or again.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::ending::{Died, end};
use super::forgetting::forget;
use super::work::work;
use crate::config::Config;
use crate::jobs::{Aftermath, Job, Queue, Registry, Retry, Whose};
use crate::state::AppState;

/// A million rows take minutes.
const LONGEST: Duration = Duration::from_secs(3600);

/// Somebody waits for it, so it is tried again soon.
const SOON: Retry = Retry {
    attempts: 8,
    first: Duration::from_millis(500),
    most: Duration::from_secs(120),
};

/// Reads a file, and applies it if that was asked for.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ReadImport {
    pub import: Uuid,
}

/// Applies a file that was read.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ApplyImport {
    pub import: Uuid,
}

/// Takes back what an import did, and puts its file away.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct UndoImport {
    pub import: Uuid,
}

/// Removes what need not be kept any more of imports that are over.
#[derive(Debug, Serialize, Deserialize)]
struct PurgeImports {}

impl Job for ReadImport {
    const KIND: &'static str = "import.read";
    const QUEUE: Queue = Queue::Bulk;
    const RETRY: Retry = SOON;
    const TIMEOUT: Duration = LONGEST;
}

impl Job for ApplyImport {
    const KIND: &'static str = "import.apply";
    const QUEUE: Queue = Queue::Bulk;
    const RETRY: Retry = SOON;
    const TIMEOUT: Duration = LONGEST;
}

impl Job for UndoImport {
    const KIND: &'static str = "import.undo";
    const QUEUE: Queue = Queue::Bulk;
    const RETRY: Retry = SOON;
    const TIMEOUT: Duration = LONGEST;
}

impl Job for PurgeImports {
    const KIND: &'static str = "import.purge";
    const RETRY: Retry = Retry {
        attempts: 3,
        first: Duration::from_secs(10),
        most: Duration::from_secs(60),
    };
    const TIMEOUT: Duration = Duration::from_secs(600);
}

/// Adds the kinds of jobs of imports.
pub fn register(registry: Registry<AppState>, config: &Config) -> Registry<AppState> {
    registry
        .with(async |state, task, job: ReadImport| work(&state, &task, job.import).await)
        .with(async |state, task, job: ApplyImport| work(&state, &task, job.import).await)
        .with(async |state, task, job: UndoImport| work(&state, &task, job.import).await)
        .after_death(async |it: &Aftermath<'_, AppState>, job: ReadImport| {
            end(it, job.import, Died::Loading).await
        })
        .after_death(async |it: &Aftermath<'_, AppState>, job: ApplyImport| {
            end(it, job.import, Died::Loading).await
        })
        .after_death(async |it: &Aftermath<'_, AppState>, job: UndoImport| {
            end(it, job.import, Died::TakingBack).await
        })
        .with(async |state, task, PurgeImports {}| forget(&state, &task).await)
        .every(&config.worker.purge, Whose::Tenants, |_| PurgeImports {})
}
