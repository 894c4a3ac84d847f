//! Background work of the fleet on the wire.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use crate::db::Directory;
use crate::http::{Code, Problem};
use crate::jobs::{Letter, LetterPlace, Overview, Pause, Summary};

/// Background work of all nodes.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct JobsOverviewOut {
    pub nodes: Vec<NodeJobsOut>,
}

/// Background work of one node.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct NodeJobsOut {
    /// What operators call it.
    #[schema(example = "main")]
    node: String,
    queues: Vec<JobCountsOut>,
    /// The kinds with most jobs, twenty at most.
    kinds: Vec<JobCountsOut>,
    /// The tenants with most jobs, twenty at most.
    tenants: Vec<JobCountsOut>,
    pauses: Vec<PauseOut>,
}

/// How many jobs of one sort stand where.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct JobCountsOut {
    /// The queue, the kind, or the tenant's slug (`platform` for the platform's own).
    name: String,
    /// Waiting for a worker.
    ready: i64,
    /// Waiting for their time.
    scheduled: i64,
    /// Kept from being begun.
    held: i64,
    running: i64,
    /// Dead letters.
    dead: i64,
    /// Not dead, but failed at least once.
    failing: i64,
    /// How long the first of those that are ready has waited, milliseconds.
    oldest_ms: i64,
}

/// What must not be begun.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PauseOut {
    /// The tenant's slug; null for all.
    #[schema(required)]
    tenant: Option<String>,
    /// The kind; null for all.
    #[schema(required)]
    kind: Option<String>,
    reason: String,
    #[serde(with = "time::serde::rfc3339")]
    paused_at: OffsetDateTime,
}

/// A dead letter.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DeadLetterOut {
    id: Uuid,
    node: String,
    /// The tenant's slug; null for the platform's own.
    #[schema(required)]
    tenant: Option<String>,
    kind: String,
    attempts: i32,
    #[serde(with = "time::serde::rfc3339")]
    enqueued_at: OffsetDateTime,
    #[schema(required)]
    #[serde(with = "time::serde::rfc3339::option")]
    ended_at: Option<OffsetDateTime>,
    /// What went wrong, attempt by attempt.
    #[schema(value_type = Vec<Object>)]
    errors: Value,
    /// What it carries; null to those who may not retry it.
    #[schema(required, value_type = Option<Object>)]
    payload: Option<Value>,
}

/// Which dead letters are looked at.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct DeadQuery {
    /// Only this tenant's, by slug or id.
    pub tenant: Option<String>,
    /// Only those of this kind.
    pub kind: Option<String>,
    /// Only those older than this one: the `next` of the page before.
    before: Option<String>,
    /// How many, 1 to 200; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u64>,
}

/// Which dead letters are changed: these, or all of a tenant or a kind, a thousand at a time.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DeadIn {
    #[validate(length(min = 1, max = 200))]
    pub ids: Option<Vec<Uuid>>,
    /// Slug or id.
    #[validate(length(min = 1, max = 100))]
    pub tenant: Option<String>,
    #[validate(length(min = 1, max = 100))]
    #[schema(example = "expired.purge")]
    pub kind: Option<String>,
}

/// How many dead letters were changed.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DeadChangedOut {
    pub changed: u64,
}

/// What is not to be begun: jobs of a tenant, of a kind, or of both.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PauseIn {
    /// Slug or id; all when absent.
    #[validate(length(min = 1, max = 100))]
    pub tenant: Option<String>,
    /// All when absent.
    #[validate(length(min = 1, max = 100))]
    #[schema(example = "expired.purge")]
    pub kind: Option<String>,
    /// Goes into the tenant's trail, so no personal data.
    #[validate(length(min = 1, max = 500))]
    #[schema(example = "its mail server is being moved")]
    pub reason: String,
}

/// Which pause ends.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PauseQuery {
    /// Slug or id; the pause of all tenants when absent.
    pub tenant: Option<String>,
    /// The pause of all kinds when absent.
    pub kind: Option<String>,
}

impl NodeJobsOut {
    pub(super) fn of(node: &str, overview: Overview, directory: &Directory) -> Self {
        let tenant = |mut summary: Summary| {
            summary.of = name_of(&summary.of, directory).unwrap_or_else(|| "platform".to_owned());
            summary
        };
        let shaped = |all: Vec<Summary>| all.into_iter().map(Into::into).collect();
        Self {
            node: node.to_owned(),
            queues: shaped(overview.queues),
            kinds: shaped(overview.kinds),
            tenants: shaped(overview.tenants.into_iter().map(tenant).collect()),
            pauses: overview
                .pauses
                .into_iter()
                .map(|pause| PauseOut::of(pause, directory))
                .collect(),
        }
    }
}

impl PauseOut {
    fn of(pause: Pause, directory: &Directory) -> Self {
        Self {
            tenant: Some(pause.tenant)
                .filter(|tenant| tenant != "*")
                .and_then(|tenant| name_of(&tenant, directory)),
            kind: Some(pause.kind).filter(|kind| kind != "*"),
            reason: pause.reason,
            paused_at: pause.paused_at,
        }
    }
}

impl DeadLetterOut {
    pub(super) fn of(node: &str, letter: Letter, directory: &Directory) -> Self {
        Self {
            id: letter.id,
            node: node.to_owned(),
            tenant: name_of(&letter.tenant, directory),
            kind: letter.kind,
            attempts: letter.attempt,
            enqueued_at: letter.enqueued_at,
            ended_at: letter.ended_at,
            errors: letter.errors,
            payload: Some(letter.payload),
        }
    }

    pub(super) fn without_payload(mut self) -> Self {
        self.payload = None;
        self
    }

    /// Where it stands among the others.
    pub(super) fn place(&self) -> Option<LetterPlace> {
        let ended_at = self.ended_at?;
        Some(LetterPlace {
            ended_at,
            id: self.id,
        })
    }
}

impl DeadQuery {
    /// Where the page before ended.
    pub(super) fn before(&self) -> Result<Option<LetterPlace>, Problem> {
        let place = self.before.as_deref().map(|text| {
            place_of(text).ok_or_else(|| {
                Problem::new(Code::CursorInvalid).detail("it is no `next` of this list")
            })
        });
        place.transpose()
    }
}

/// A place as clients give it back. It holds all that is asked for: the letter may be gone by then.
pub(super) fn cursor_of(place: LetterPlace) -> String {
    let micros = place.ended_at.unix_timestamp_nanos() / 1000;
    format!("{micros}_{}", place.id.simple())
}

fn place_of(text: &str) -> Option<LetterPlace> {
    let (micros, id) = text.split_once('_')?;
    let micros = micros.parse::<u64>().ok()?;
    let ended_at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1000).ok()?;
    let id = Uuid::try_parse(id).ok()?;
    Some(LetterPlace { ended_at, id })
}

impl From<Summary> for JobCountsOut {
    fn from(summary: Summary) -> Self {
        Self {
            name: summary.of,
            ready: summary.ready,
            scheduled: summary.scheduled,
            held: summary.held,
            running: summary.running,
            dead: summary.dead,
            failing: summary.failing,
            oldest_ms: summary.oldest_ms,
        }
    }
}

/// A tenant's slug, or its schema where the directory doesn't know it; nothing for the platform.
fn name_of(schema: &str, directory: &Directory) -> Option<String> {
    if schema.is_empty() {
        return None;
    }
    let tenant = directory.tenant_of(schema);
    Some(tenant.map_or_else(|| schema.to_owned(), |tenant| tenant.slug().to_owned()))
}
