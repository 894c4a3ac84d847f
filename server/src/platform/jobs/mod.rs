//! `/jobs` of operators: background work of the whole fleet, node by node.

mod wire;

use std::collections::BTreeMap;
use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, delete, get, post, web};
use serde_json::{Value, json};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use self::wire::{
    DeadChangedOut, DeadIn, DeadLetterOut, DeadQuery, JobsOverviewOut, NodeJobsOut, PauseIn,
    PauseQuery, cursor_of,
};
use super::operator::Operator;
use super::permission::{Look, ManageJobs};
use super::record::Deed;
use crate::auth::Permission;
use crate::db::{Address, Found, Ledger, SecurityEvent, Tenant};
use crate::http::{Body, Code, PageOut, Problem, ProblemOut, RequestId, page_limit};
use crate::jobs::{self, Letters};
use crate::state::AppState;

/// Most dead letters that are changed by one request.
const MOST: u64 = 1000;

/// The routes of background work.
pub(super) fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(overview)
        .service(dead)
        .service(retry)
        .service(discard)
        .service(pause)
        .service(resume);
}

/// See background work at a glance
///
/// Node by node: how many jobs stand where, by queue, by kind and by tenant, how long the first has
/// waited, and what is paused.
#[utoipa::path(tag = "platform", operation_id = "show_jobs", security(("bearer" = [])), responses(
    (status = 200, body = JobsOverviewOut),
))]
#[get("/jobs")]
async fn overview(
    req: HttpRequest,
    _who: Operator<Look>,
) -> Result<web::Json<JobsOverviewOut>, Problem> {
    let directory = &AppState::of(&req).directory;
    let mut nodes = Vec::new();
    for ledger in directory.ledgers() {
        let overview = jobs::overview(&ledger).await;
        let overview = overview.map_err(|error| Problem::database(&error))?;
        nodes.push(NodeJobsOut::of(ledger.node(), overview, directory));
    }
    Ok(web::Json(JobsOverviewOut { nodes }))
}

/// List dead letters
///
/// Of all tenants, the newest first, with what went wrong. What they carry is told to those alone who may
/// retry them.
#[utoipa::path(tag = "platform", operation_id = "list_dead_letters", params(DeadQuery),
    security(("bearer" = [])), responses((status = 200, body = PageOut<DeadLetterOut>),
        (status = 400, body = ProblemOut, content_type = "application/problem+json")))]
#[get("/jobs/dead")]
async fn dead(
    req: HttpRequest,
    who: Operator<Look>,
    query: web::Query<DeadQuery>,
) -> Result<web::Json<PageOut<DeadLetterOut>>, Problem> {
    let (limit, before) = (page_limit(query.limit)?, query.before()?);
    let place = Place::of(&req, query.tenant.as_deref()).await?;
    let which = Letters {
        ids: None,
        tenant: place.schema(),
        kind: query.kind.clone(),
    };
    let is_trusted = who.require(ManageJobs::NAME).is_ok();
    let directory = &AppState::of(&req).directory;
    let mut letters = Vec::new();
    for ledger in &place.ledgers {
        // One more than a page, to see whether there is another.
        let found = jobs::letters(ledger, &which, before, limit + 1).await;
        let found = found.map_err(|error| Problem::database(&error))?;
        let shaped = found.into_iter().map(|letter| {
            let letter = DeadLetterOut::of(ledger.node(), letter, directory);
            match is_trusted {
                true => letter,
                false => letter.without_payload(),
            }
        });
        letters.extend(shaped);
    }
    letters.sort_by_key(|letter| std::cmp::Reverse(letter.place()));
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = letters.len() > limit;
    letters.truncate(limit);
    let last = letters.last().filter(|_| has_more);
    let next = last.and_then(|last| Some(cursor_of(last.place()?)));
    Ok(web::Json(PageOut {
        data: letters,
        next,
    }))
}

/// Give dead letters another attempt
///
/// These, or all of a tenant or a kind, a thousand at a time. It stands in the tenants' trails.
#[utoipa::path(tag = "platform", operation_id = "retry_dead_letters", request_body = DeadIn,
    security(("bearer" = [])), responses((status = 200, body = DeadChangedOut),
        (status = 404, body = ProblemOut, content_type = "application/problem+json")))]
#[post("/jobs/retry")]
async fn retry(
    req: HttpRequest,
    who: Operator<ManageJobs>,
    body: Body<DeadIn>,
) -> Result<web::Json<DeadChangedOut>, Problem> {
    let changed = change(&req, &who, Mending::Retry, body.0).await?;
    AppState::of(&req).directory.bell().wake_workers();
    Ok(changed)
}

/// Discard dead letters
///
/// These, or all of a tenant or a kind, a thousand at a time. It stands in the tenants' trails.
#[utoipa::path(tag = "platform", operation_id = "discard_dead_letters", request_body = DeadIn,
    security(("bearer" = [])), responses((status = 200, body = DeadChangedOut),
        (status = 404, body = ProblemOut, content_type = "application/problem+json")))]
#[post("/jobs/discard")]
async fn discard(
    req: HttpRequest,
    who: Operator<ManageJobs>,
    body: Body<DeadIn>,
) -> Result<web::Json<DeadChangedOut>, Problem> {
    change(&req, &who, Mending::Discard, body.0).await
}

/// Pause background work
///
/// Of a tenant, of a kind, or of both; what is under way is finished. It stands in the tenant's
/// trail, or on the platform's record where it concerns no single tenant.
#[utoipa::path(tag = "platform", operation_id = "pause_jobs", request_body = PauseIn,
    security(("bearer" = [])), responses((status = 204),
        (status = 404, body = ProblemOut, content_type = "application/problem+json")))]
#[post("/jobs/pauses")]
async fn pause(
    req: HttpRequest,
    who: Operator<ManageJobs>,
    body: Body<PauseIn>,
) -> Result<HttpResponse, Problem> {
    let PauseIn {
        tenant,
        kind,
        reason,
    } = body.0;
    let place = Place::of(&req, tenant.as_deref()).await?;
    let told = json!({ "kind": kind, "reason": reason });
    place.record(&req, &who, Act::Pause, told).await?;
    for ledger in &place.ledgers {
        let schema = place.schema();
        let paused = jobs::pause(ledger, schema.as_deref(), kind.as_deref(), &reason).await;
        paused.map_err(|error| Problem::database(&error))?;
    }
    Ok(HttpResponse::NoContent().finish())
}

/// Let paused background work go on
#[utoipa::path(tag = "platform", operation_id = "resume_jobs", params(PauseQuery),
    security(("bearer" = [])), responses((status = 204),
        (status = 404, body = ProblemOut, content_type = "application/problem+json")))]
#[delete("/jobs/pauses")]
async fn resume(
    req: HttpRequest,
    who: Operator<ManageJobs>,
    query: web::Query<PauseQuery>,
) -> Result<HttpResponse, Problem> {
    let place = Place::of(&req, query.tenant.as_deref()).await?;
    let told = json!({ "kind": query.kind });
    place.record(&req, &who, Act::Resume, told).await?;
    let mut was_there = false;
    for ledger in &place.ledgers {
        let schema = place.schema();
        let resumed = jobs::resume(ledger, schema.as_deref(), query.kind.as_deref()).await;
        was_there |= resumed.map_err(|error| Problem::database(&error))?;
    }
    if !was_there {
        return Err(Problem::new(Code::PauseNotFound));
    }
    AppState::of(&req).directory.bell().wake_workers();
    Ok(HttpResponse::NoContent().finish())
}

/// What becomes of dead letters.
#[derive(Debug, Clone, Copy)]
enum Mending {
    /// They have another attempt.
    Retry,
    /// They are removed.
    Discard,
}

/// What an operator does to background work.
#[derive(Debug, Clone, Copy)]
enum Act {
    Mend(Mending),
    Pause,
    Resume,
}

impl Act {
    /// What a tenant's trail calls it.
    const fn action(self) -> &'static str {
        match self {
            Self::Mend(Mending::Retry) => "job.retry",
            Self::Mend(Mending::Discard) => "job.discard",
            Self::Pause => "job.pause",
            Self::Resume => "job.resume",
        }
    }

    /// What the platform's record calls it.
    const fn event(self) -> &'static str {
        match self {
            Self::Mend(Mending::Retry) => "jobs_retried",
            Self::Mend(Mending::Discard) => "jobs_discarded",
            Self::Pause => "jobs_paused",
            Self::Resume => "jobs_resumed",
        }
    }
}

/// Where a tenant's jobs are, or everybody's.
struct Place {
    tenant: Option<Arc<Tenant>>,
    ledgers: Vec<Ledger>,
}

impl Place {
    async fn of(req: &HttpRequest, tenant: Option<&str>) -> Result<Self, Problem> {
        let directory = &AppState::of(req).directory;
        let Some(name) = tenant else {
            return Ok(Self {
                tenant: None,
                ledgers: directory.ledgers(),
            });
        };
        let address = match name.parse() {
            Ok(id) => Address::Id(id),
            Err(_) => Address::Slug(name.to_owned()),
        };
        match directory.find(&address).await {
            Found::Tenant(tenant) => Ok(Self {
                ledgers: directory.ledger_of(&tenant).into_iter().collect(),
                tenant: Some(tenant),
            }),
            Found::Nobody => Err(Problem::new(Code::TenantNotFound)),
            Found::NotReady => Err(Problem::new(Code::Unavailable)),
        }
    }

    fn schema(&self) -> Option<String> {
        let tenant = self.tenant.as_ref()?;
        Some(tenant.schema().as_str().to_owned())
    }

    /// On the tenant's record, if it is about one; else on the platform's.
    async fn record(
        &self,
        req: &HttpRequest,
        who: &Operator<ManageJobs>,
        act: Act,
        told: Value,
    ) -> Result<(), Problem> {
        let Some(tenant) = &self.tenant else {
            AppState::of(req).security.record(SecurityEvent {
                tenant: None,
                kind: act.event(),
                detail: json!({ "operator": who.id(), "told": told }),
                request_id: RequestId::of(req).map(|id| id.to_string()),
            });
            return Ok(());
        };
        let deed = Deed::new(act.action(), told);
        who.note(req, &tenant.key().id().to_string(), deed).await
    }
}

/// Changes dead letters. Each tenant's are put on its record before.
async fn change(
    req: &HttpRequest,
    who: &Operator<ManageJobs>,
    mending: Mending,
    body: DeadIn,
) -> Result<web::Json<DeadChangedOut>, Problem> {
    if body.ids.is_none() && body.tenant.is_none() && body.kind.is_none() {
        let message = "name ids, a tenant or a kind";
        return Err(Problem::field("/ids", "required", message));
    }
    let place = Place::of(req, body.tenant.as_deref()).await?;
    let which = Letters {
        ids: body.ids,
        tenant: place.schema(),
        kind: body.kind,
    };
    let mut changed = 0;
    for ledger in &place.ledgers {
        let letters = jobs::letters(ledger, &which, None, MOST).await;
        let letters = letters.map_err(|error| Problem::database(&error))?;
        let mut by_tenant = BTreeMap::<String, Vec<Uuid>>::new();
        for letter in letters {
            by_tenant.entry(letter.tenant).or_default().push(letter.id);
        }
        for (schema, ids) in by_tenant {
            let tenant = AppState::of(req).directory.tenant_of(&schema);
            let whose = Place {
                tenant,
                ledgers: Vec::new(),
            };
            let told = json!({ "kind": which.kind, "changed": ids.len() });
            whose.record(req, who, Act::Mend(mending), told).await?;
            let done = match mending {
                Mending::Retry => jobs::retry(ledger, &ids).await,
                Mending::Discard => jobs::discard(ledger, &ids).await,
            };
            changed += done.map_err(|error| Problem::database(&error))?;
        }
    }
    Ok(web::Json(DeadChangedOut { changed }))
}
