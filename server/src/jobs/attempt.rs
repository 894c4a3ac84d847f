//! One attempt at a job: finds who can do it and for whom, and keeps what goes wrong within.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinError;
use tokio_util::task::{AbortOnDropHandle, LocalPoolHandle};
use tracing::Instrument;

use super::claim::Claimed;
use super::error::JobError;
use super::job::{Opens, Retry};
use super::registry::{Entry, Handled, Registry};
use super::task::{Outcome, Task};
use crate::db::{Directory, DirectoryError, TenantDb};

/// Before a job of a tenant that can't be served just now is looked at again.
const CLOSED: Duration = Duration::from_secs(60);
/// Before a job that this build can't do is tried again, perhaps by a newer one.
const NOT_KNOWN: Duration = Duration::from_secs(60);

/// After this much more than it may take, a job is given up that doesn't even let itself be broken
/// off: it holds its thread.
const BEYOND: Duration = Duration::from_secs(5);

/// Attempts jobs.
pub(super) struct Attempts<S> {
    pub(super) state: Arc<S>,
    pub(super) directory: Arc<Directory>,
    pub(super) registry: Registry<S>,
    /// Where jobs run.
    pub(super) hands: LocalPoolHandle,
    pub(super) stopping: watch::Receiver<bool>,
}

impl<S: Send + Sync + 'static> Attempts<S> {
    /// The kind as metrics know it, and how it is retried.
    pub(super) fn kind_of(&self, claimed: &Claimed) -> (&'static str, Retry) {
        let kinds = self.registry.kinds();
        let known = kinds.into_iter().find(|kind| *kind == claimed.kind);
        match (known, self.registry.get(&claimed.kind)) {
            (Some(kind), Some(entry)) => (kind, entry.retry),
            _ => ("unknown", Retry::DEFAULT),
        }
    }

    /// Runs it to its end, whatever that is.
    pub(super) async fn attempt(&self, claimed: Claimed, lost: watch::Receiver<bool>) -> Handled {
        let Some(entry) = self.registry.get(&claimed.kind) else {
            return Err(JobError::Retry {
                cause: format!("no worker of this build can do {:?}", claimed.kind),
                after: Some(NOT_KNOWN),
            });
        };
        if claimed.version > entry.version {
            // Not its fault, and no attempt: a newer build is about to come, or to come back.
            return Ok(Outcome::Later(NOT_KNOWN));
        }
        let payload = payload_of(entry, &claimed)?;
        let db = match self.door(&claimed.tenant, entry.opens) {
            Ok(db) => db,
            Err(ended) => return ended,
        };
        let span = tracing::info_span!(
            "job",
            job.id = %claimed.id,
            job.kind = claimed.kind,
            job.attempt = claimed.attempt,
            tenant.id = db.as_ref().map(|db| db.tenant().key().to_string()),
            request.id = claimed.trace,
        );
        let timeout = entry.timeout;
        let last = tokio::time::sleep(timeout + BEYOND);
        let task = Task::new(claimed, db, lost.clone(), self.stopping.clone());
        let (work, state) = (entry.work.clone(), self.state.clone());
        let running = self.hands.spawn_pinned(move || {
            let work = work(state, task, payload);
            tokio::time::timeout(timeout, work).instrument(span)
        });
        // Dropped, it breaks the work off.
        let running = AbortOnDropHandle::new(running);
        let mut lost = lost;
        tokio::pin!(last);
        tokio::select! {
            ended = running => match ended {
                Ok(Ok(handled)) => handled,
                Ok(Err(_)) => Err(JobError::retry(format!("it took longer than {timeout:?}"))),
                Err(error) => Err(of_a_panic(error)),
            },
            () = &mut last => {
                tracing::error!("a job holds its thread and doesn't let go of it");
                Err(JobError::retry(format!("it held its thread for more than {timeout:?}")))
            }
            Ok(_) = lost.wait_for(|lost| *lost) => Err(JobError::Lost),
        }
    }

    /// The door to the rows of whoever it is for; nothing for the platform's own.
    fn door(&self, schema: &str, opens: Opens) -> Result<Option<TenantDb>, Handled> {
        if schema.is_empty() {
            return Ok(None);
        }
        let Some(tenant) = self.directory.tenant_of(schema) else {
            return Err(Ok(Outcome::Later(CLOSED)));
        };
        let door = match opens {
            Opens::Served => self.directory.enter(&tenant),
            Opens::Kept => self.directory.enter_to_record(&tenant),
        };
        match door {
            Ok(db) => Ok(Some(db)),
            Err(error @ DirectoryError::Closed) => Err(Err(JobError::discard(error))),
            Err(_) => Err(Ok(Outcome::Later(CLOSED))),
        }
    }
}

fn payload_of<S>(entry: &Entry<S>, claimed: &Claimed) -> Result<Value, JobError> {
    let payload = claimed.payload.clone();
    if claimed.version == entry.version {
        return Ok(payload);
    }
    (entry.upgrade)(claimed.version, payload).ok_or_else(|| {
        JobError::discard(format!(
            "its version {} is too old for this build",
            claimed.version
        ))
    })
}

fn of_a_panic(error: JoinError) -> JobError {
    let Ok(panic) = error.try_into_panic() else {
        return JobError::retry("it was broken off");
    };
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "without a word".to_owned());
    JobError::retry(format!("it panicked: {text}"))
}
