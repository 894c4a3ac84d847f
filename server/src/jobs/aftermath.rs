//! What comes after the death of a job: a job of its own, handed over by the very statement that
//! buries it, so that whoever waited hears of it, whoever is killed meanwhile.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::error::JobError;
use super::job::Job;
use super::task::Task;
use crate::db::TenantTx;

/// A job that died, as it was when it was buried. Whoever has the work of it done finds it so even
/// if people have discarded the dead letter meanwhile.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Death {
    /// Which job.
    pub job: Uuid,
    /// What it was.
    pub kind: String,
    /// The version of what it carried.
    pub version: i16,
    /// What it carried.
    pub payload: Value,
    /// Attempts that were made.
    pub attempts: i32,
    /// How its last attempt ended: `retry`, `discard` or `lost`.
    pub class: String,
    /// What went wrong last.
    pub error: String,
}

impl Job for Death {
    const KIND: &'static str = "job.aftermath";
}

impl Death {
    /// Whether it was seen that it could not go well, rather than tried too often in vain.
    pub fn is_refusal(&self) -> bool {
        self.class == DISCARD
    }

    /// What it carried, if that can be read at all.
    fn job<J: Job>(&self) -> Option<J> {
        let upgraded = match self.version < J::VERSION {
            true => J::upgrade(self.version, self.payload.clone()),
            false => None,
        };
        // It may have died because its version is too old: what waits for it may be found all the same.
        let payload = upgraded.unwrap_or_else(|| self.payload.clone());
        serde_json::from_value(payload).ok()
    }
}

/// How an error is kept that made a dead letter at once.
pub(super) const DISCARD: &str = "discard";

/// A statement that settles jobs, with one half more: those that it has made dead letters are followed
/// by the job that sees to what is left of them. Nothing follows that one, and nobody waits for the
/// platform's own. As many rows come back as jobs were settled.
pub(super) fn followed(settles: &str) -> String {
    let (kind, version, queue) = (Death::KIND, Death::VERSION, Death::QUEUE.as_str());
    let attempts = Death::RETRY.attempts;
    format!(
        "WITH settled AS ({settles} RETURNING j.*), followed AS (
            INSERT INTO jobs.job (id, tenant, queue, kind, version, payload, priority, state,
                run_at, max_attempts, trace, enqueued_at)
            SELECT gen_random_uuid(), tenant, '{queue}', '{kind}', {version},
                jsonb_build_object('job', id, 'kind', kind, 'version', version,
                    'payload', payload, 'attempts', attempt,
                    'class', coalesce(errors -> -1 ->> 'class', ''),
                    'error', coalesce(errors -> -1 ->> 'error', '')),
                5, 'ready', clock_timestamp(), {attempts}, trace, clock_timestamp()
            FROM settled WHERE state = 'dead' AND tenant <> '' AND kind <> '{kind}'
        ) SELECT id FROM settled"
    )
}

/// What is left to do for a job that died, within the transaction that tells of it.
#[derive(Debug)]
pub struct Aftermath<'a, S> {
    /// What all jobs are done with.
    pub state: &'a S,
    /// The attempt at this.
    pub task: &'a Task,
    /// Where it is written.
    pub tx: &'a TenantTx,
    /// Who died.
    pub death: &'a Death,
}

type Seen<'a> = Pin<Box<dyn Future<Output = Result<(), JobError>> + 'a>>;
type Hook<S> = Arc<dyn for<'a> Fn(Aftermath<'a, S>) -> Seen<'a> + Send + Sync>;

/// What is to be done after the death of a job, by its kind.
pub struct Hooks<S>(HashMap<&'static str, Hook<S>>);

impl<S: Send + Sync + 'static> Hooks<S> {
    pub(super) fn new() -> Self {
        Self(HashMap::new())
    }

    /// Adds what is to be done after the death of a kind.
    pub(super) fn add<J: Job>(
        &mut self,
        hook: impl AsyncFn(&Aftermath<'_, S>, J) -> Result<(), JobError> + Send + Sync + 'static,
    ) {
        let hook = Arc::new(hook);
        let boxed = boxed(move |aftermath| {
            let hook = hook.clone();
            Box::pin(async move {
                match aftermath.death.job() {
                    Some(job) => hook(&aftermath, job).await,
                    None => Ok(()),
                }
            })
        });
        assert!(
            self.0.insert(J::KIND, boxed).is_none(),
            "two things are to be done after the death of {}",
            J::KIND
        );
    }

    /// Does what is to be done after the death of a job; nothing for most kinds, and for those that
    /// carry what can't be read.
    ///
    /// # Errors
    ///
    /// What the kind says.
    pub async fn see_to(&self, aftermath: Aftermath<'_, S>) -> Result<(), JobError> {
        match self.0.get(&*aftermath.death.kind) {
            Some(hook) => hook(aftermath).await,
            None => Ok(()),
        }
    }
}

/// Says what the closure is to be: the compiler finds no lifetimes for it in a box.
fn boxed<S>(
    hook: impl for<'a> Fn(Aftermath<'a, S>) -> Seen<'a> + Send + Sync + 'static,
) -> Hook<S> {
    Arc::new(hook)
}

impl<S> Clone for Hooks<S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<S> std::fmt::Debug for Hooks<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
