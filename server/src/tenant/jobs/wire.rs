//! Jobs on the wire, and what can be asked of them.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use super::service::Chosen;
use super::store::{Filter, Row};
use crate::http::Problem;
use crate::kernel::never_null;

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum JobState {
    /// Its time has not come.
    Scheduled,
    /// It waits for a worker.
    Ready,
    /// An operator lets nobody begin it.
    Held,
    /// Somebody is at it.
    Running,
    /// It failed for good: a dead letter.
    Dead,
    /// It was done.
    Done,
}

impl JobState {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Ready => "ready",
            Self::Held => "held",
            Self::Running => "running",
            Self::Dead => "dead",
            Self::Done => "done",
        }
    }
}

/// A job.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct JobOut {
    id: Uuid,
    /// What it is.
    #[schema(example = "expired.purge")]
    kind: String,
    /// `quick` or `bulk`.
    #[schema(example = "quick")]
    queue: String,
    /// `scheduled`, `ready`, `held`, `running`, `dead` or `done`.
    #[schema(example = "dead")]
    state: String,
    /// 0 is begun before 9.
    priority: i16,
    /// Attempts so far.
    attempts: i32,
    /// Attempts in all.
    max_attempts: i32,
    /// From when on it may be begun.
    #[serde(with = "time::serde::rfc3339")]
    run_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    enqueued_at: OffsetDateTime,
    #[schema(required)]
    #[serde(with = "time::serde::rfc3339::option")]
    started_at: Option<OffsetDateTime>,
    #[schema(required)]
    #[serde(with = "time::serde::rfc3339::option")]
    ended_at: Option<OffsetDateTime>,
    /// The request that handed it over, if one did.
    #[schema(required)]
    request_id: Option<String>,
    /// What went wrong last.
    #[schema(required)]
    last_error: Option<String>,
}

/// A job with its history.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct JobDetailOut {
    job: JobOut,
    /// What it carries; null to those who may not retry it.
    #[schema(required, value_type = Option<Object>)]
    payload: Option<Value>,
    /// What went wrong, attempt by attempt, the last twenty.
    errors: Vec<JobFailureOut>,
}

/// An attempt that failed.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(super) struct JobFailureOut {
    #[serde(with = "time::serde::rfc3339")]
    at: OffsetDateTime,
    /// Its number, from 1.
    attempt: i32,
    /// `retry`, `discard` (it could not go well) or `lost` (its worker was gone).
    #[schema(example = "retry")]
    class: String,
    error: String,
}

/// How many jobs were changed.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct JobsChangedOut {
    changed: u64,
}

/// Which jobs: these, or all that match, a thousand at most.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct JobsIn {
    /// By their ids; nothing else then.
    #[serde(default, deserialize_with = "never_null")]
    #[validate(length(min = 1, max = 200))]
    #[schema(nullable = false)]
    ids: Option<Vec<Uuid>>,
    /// Of this kind.
    #[serde(default, deserialize_with = "never_null")]
    #[validate(length(min = 1, max = 100))]
    #[schema(nullable = false)]
    kind: Option<String>,
    /// In this state; `dead` when absent.
    #[serde(default, deserialize_with = "never_null")]
    #[schema(nullable = false)]
    state: Option<JobState>,
}

/// What is asked of the list.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct JobsQuery {
    /// Only those in this state.
    state: Option<JobState>,
    /// Only those of this kind.
    kind: Option<String>,
    /// Rows of the page, 1 to 200; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u64>,
    /// The `next` of the page before.
    pub cursor: Option<String>,
    /// Only these fields of each row, with commas between.
    pub fields: Option<String>,
}

/// Whether whoever asks may see what jobs carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Payloads {
    Shown,
    Hidden,
}

impl JobsQuery {
    pub(super) fn filter(&self) -> Filter {
        Filter {
            kind: self.kind.clone(),
            state: self.state,
        }
    }
}

impl JobsIn {
    /// Which jobs are meant.
    ///
    /// # Errors
    ///
    /// When ids are given and something else, too.
    pub(super) fn chosen(self) -> Result<Chosen, Problem> {
        match (self.ids, self.kind, self.state) {
            (Some(ids), None, None) => Ok(Chosen::These(ids)),
            (Some(_), _, _) => {
                let message = "either ids, or what all of them are";
                Err(Problem::field("/ids", "exclusive", message))
            }
            (None, kind, state) => Ok(Chosen::All(Filter {
                kind,
                state: state.or(Some(JobState::Dead)),
            })),
        }
    }
}

impl JobsChangedOut {
    pub(super) fn new(changed: u64) -> Self {
        Self { changed }
    }
}

impl From<Row> for JobOut {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            kind: row.kind,
            queue: row.queue,
            state: row.state,
            priority: row.priority,
            attempts: row.attempt,
            max_attempts: row.max_attempts,
            run_at: row.run_at,
            enqueued_at: row.enqueued_at,
            started_at: row.started_at,
            ended_at: row.ended_at,
            request_id: row.trace,
            last_error: row.last_error,
        }
    }
}

impl JobDetailOut {
    pub(super) fn of(mut row: Row, payloads: Payloads) -> Result<Self, Problem> {
        let errors = row.errors.take().unwrap_or_else(|| Value::Array(vec![]));
        let payload = row.payload.take().filter(|_| payloads == Payloads::Shown);
        Ok(Self {
            job: row.into(),
            payload,
            errors: serde_json::from_value(errors).map_err(Problem::internal)?,
        })
    }
}
