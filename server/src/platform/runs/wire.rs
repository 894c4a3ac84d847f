//! Runs on the wire, as `tubex --json` shows them.

use provisioner::RunEntry;
use provisioner::fleet::{Counts, PlaceEntry};
use sea_orm::ActiveEnum;
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::http::Problem;

/// A migration run.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(super) struct RunOut {
    id: Uuid,
    /// The run that this one takes back.
    #[schema(required)]
    reverts: Option<Uuid>,
    /// Where it leads; for one that takes back, where the other one led.
    target_version: String,
    /// `running`, `paused`, `waiting`, `halted`, `cancelled` or `done`.
    #[schema(example = "running")]
    state: String,
    /// Why it stands there.
    #[schema(required)]
    reason: Option<String>,
    /// The wave that has its turn, from 0.
    wave: i32,
    waves: i32,
    actor: String,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    #[schema(required)]
    #[serde(with = "time::serde::rfc3339::option")]
    finished_at: Option<OffsetDateTime>,
    /// Milliseconds since it was begun, until its end.
    elapsed_ms: i64,
    /// Rows that back-fills have changed.
    rows_filled: i64,
    /// How often a lock was not to be had.
    lock_waits: i64,
    /// The rehearsal that it was begun after: what was `predicted`, and once the run is over, what
    /// was `actual`.
    #[schema(value_type = Option<Object>, required)]
    rehearsal: Option<Value>,
    tenants: CountsOut,
    /// What was found when each wave was over.
    #[schema(value_type = Vec<Object>)]
    verdicts: Value,
    /// How it goes about it.
    #[schema(value_type = Object)]
    options: Value,
}

/// How many tenants of a run stand where.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
struct CountsOut {
    all: i64,
    pending: i64,
    running: i64,
    done: i64,
    failed: i64,
    skipped: i64,
    quarantined: i64,
}

/// A tenant's place in a run.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PlaceOut {
    tenant_id: Uuid,
    slug: String,
    /// Its wave, from 0.
    wave: i32,
    /// `pending`, `running`, `done`, `failed`, `skipped` or `quarantined`.
    #[schema(example = "done")]
    state: String,
    from_version: String,
    target_version: String,
    /// How far the run has moved it.
    #[schema(required)]
    reached: Option<String>,
    attempts: i32,
    /// How often a lock was not to be had.
    lock_waits: i32,
    rows_filled: i64,
    /// What went wrong last.
    #[schema(value_type = Option<Object>, required)]
    error: Option<Value>,
    #[schema(required)]
    #[serde(with = "time::serde::rfc3339::option")]
    started_at: Option<OffsetDateTime>,
    #[schema(required)]
    #[serde(with = "time::serde::rfc3339::option")]
    finished_at: Option<OffsetDateTime>,
}

impl RunOut {
    /// Where the run is found.
    pub(super) fn address(&self) -> String {
        format!("/platform/v1/migration-runs/{}", self.id)
    }

    /// Whether anything but the time that passed is different.
    pub(super) fn differs_from(&self, before: &Self) -> bool {
        let at_the_same_time = Self {
            elapsed_ms: before.elapsed_ms,
            ..self.clone()
        };
        at_the_same_time != *before
    }
}

impl TryFrom<RunEntry> for RunOut {
    type Error = Problem;

    fn try_from(run: RunEntry) -> Result<Self, Problem> {
        let rehearsal = run.compared();
        Ok(Self {
            id: run.id,
            reverts: run.reverts,
            target_version: run.target_version,
            state: run.state.to_value(),
            reason: run.reason,
            wave: run.wave,
            waves: run.waves,
            actor: run.actor,
            created_at: run.created_at,
            finished_at: run.finished_at,
            elapsed_ms: run.elapsed_ms,
            rows_filled: run.rows_filled,
            lock_waits: run.lock_waits,
            rehearsal,
            tenants: run.counts.into(),
            verdicts: run.verdicts,
            options: serde_json::to_value(run.options).map_err(Problem::internal)?,
        })
    }
}

impl From<Counts> for CountsOut {
    fn from(counts: Counts) -> Self {
        Self {
            all: counts.all(),
            pending: counts.pending,
            running: counts.running,
            done: counts.done,
            failed: counts.failed,
            skipped: counts.skipped,
            quarantined: counts.quarantined,
        }
    }
}

impl From<PlaceEntry> for PlaceOut {
    fn from(place: PlaceEntry) -> Self {
        Self {
            tenant_id: place.tenant_id,
            slug: place.slug,
            wave: place.wave,
            state: place.state.to_value(),
            from_version: place.from_version,
            target_version: place.target_version,
            reached: place.reached,
            attempts: place.attempts,
            lock_waits: place.lock_waits,
            rows_filled: place.rows_filled,
            error: place.error,
            started_at: place.started_at,
            finished_at: place.finished_at,
        }
    }
}
