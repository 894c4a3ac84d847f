//! `/jobs`.

use actix_web::{HttpRequest, HttpResponse, get, post, web};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::error::JobsError;
use super::service;
use super::store::Deed;
use super::wire::{JobDetailOut, JobOut, JobsChangedOut, JobsIn, JobsQuery, Payloads};
use crate::audit::Change;
use crate::auth::{ManageJobs, Permission, ReadJobs};
use crate::http::{
    Answer, Body, Done, Fields, Listing, Member, PageOut, Problem, ProblemOut, page_limit,
};

/// The routes of background work.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list)
        .service(retry_all)
        .service(discard_all)
        .service(read)
        .service(retry)
        .service(discard);
}

/// List background work
///
/// The newest first. What was done is forgotten, most of it at once. Dead letters have the state
/// `dead`.
#[utoipa::path(tag = "jobs", operation_id = "list_jobs", params(JobsQuery),
    security(("bearer" = [])), responses((status = 200, body = PageOut<JobOut>)))]
#[get("/jobs")]
async fn list(
    req: HttpRequest,
    who: Member<ReadJobs>,
    query: web::Query<JobsQuery>,
) -> Result<HttpResponse, Problem> {
    let list = Listing::of(&req);
    let (limit, cursor) = (
        page_limit(query.limit)?,
        list.open(query.cursor.as_deref())?,
    );
    let fields = Fields::parse::<JobOut>(query.fields.as_deref())?;
    let filter = query.filter();
    let work = async |tx: &_| service::list(tx, &filter, limit, cursor.clone()).await;
    list.answer::<JobOut>(who.db.read(work).await?, &fields)
}

/// Read a job
///
/// With what went wrong; and what it carries, for those who may retry it.
#[utoipa::path(tag = "jobs", operation_id = "read_job", params(("id" = Uuid, Path)),
    security(("bearer" = [])), responses(
    (status = 200, body = JobDetailOut),
    (status = 404, body = ProblemOut, content_type = "application/problem+json"),
))]
#[get("/jobs/{id}")]
async fn read(
    who: Member<ReadJobs>,
    id: web::Path<Uuid>,
) -> Result<web::Json<JobDetailOut>, Problem> {
    let payloads = match who.principal.grants.allow(ManageJobs::NAME) {
        true => Payloads::Shown,
        false => Payloads::Hidden,
    };
    let row = who.db.read(async |tx| service::find(tx, *id).await).await?;
    Ok(web::Json(JobDetailOut::of(row, payloads)?))
}

/// Retry a job
///
/// One that is dead, or waits for its next attempt, gets one now.
#[utoipa::path(tag = "jobs", operation_id = "retry_job", params(("id" = Uuid, Path)),
    security(("bearer" = [])), responses(
    (status = 200, body = JobOut),
    (status = 404, body = ProblemOut, content_type = "application/problem+json"),
    (status = 409, body = ProblemOut, content_type = "application/problem+json"),
))]
#[post("/jobs/{id}/retry")]
async fn retry(who: Member<ManageJobs>, id: web::Path<Uuid>) -> Result<HttpResponse, Problem> {
    who.write(async |tx| {
        let job = JobOut::from(service::retry(tx, *id).await?);
        let record = Change::new("job.retry", "job", *id).after(&job);
        Ok::<_, JobsError>(Done::new(record, Answer::ok(&job)))
    })
    .await
}

/// Discard a job
///
/// One that nobody is at. It is gone.
#[utoipa::path(tag = "jobs", operation_id = "discard_job", params(("id" = Uuid, Path)),
    security(("bearer" = [])), responses(
    (status = 204),
    (status = 404, body = ProblemOut, content_type = "application/problem+json"),
    (status = 409, body = ProblemOut, content_type = "application/problem+json"),
))]
#[post("/jobs/{id}/discard")]
async fn discard(who: Member<ManageJobs>, id: web::Path<Uuid>) -> Result<HttpResponse, Problem> {
    who.write(async |tx| {
        let job = JobOut::from(service::discard(tx, *id).await?);
        let record = Change::new("job.discard", "job", *id).before(&job);
        Ok::<_, JobsError>(Done::new(record, Answer::no_content()))
    })
    .await
}

/// Retry jobs
///
/// These, or all that are of a kind or in a state, a thousand at a time. Those that are neither dead
/// nor scheduled are left alone.
#[utoipa::path(tag = "jobs", operation_id = "retry_jobs", request_body = JobsIn,
    security(("bearer" = [])), responses((status = 200, body = JobsChangedOut)))]
#[post("/jobs/retry")]
async fn retry_all(who: Member<ManageJobs>, body: Body<JobsIn>) -> Result<HttpResponse, Problem> {
    change(&who, Deed::Retry, "job.retry", body.0).await
}

/// Discard jobs
///
/// These, or all that are of a kind or in a state, a thousand at a time. Those that are running or
/// done are left alone.
#[utoipa::path(tag = "jobs", operation_id = "discard_jobs", request_body = JobsIn,
    security(("bearer" = [])), responses((status = 200, body = JobsChangedOut)))]
#[post("/jobs/discard")]
async fn discard_all(who: Member<ManageJobs>, body: Body<JobsIn>) -> Result<HttpResponse, Problem> {
    change(&who, Deed::Discard, "job.discard", body.0).await
}

async fn change(
    who: &Member<ManageJobs>,
    deed: Deed,
    action: &'static str,
    body: JobsIn,
) -> Result<HttpResponse, Problem> {
    let chosen = body.chosen()?;
    who.write(async |tx| {
        let changed = JobsChangedOut::new(service::change(tx, deed, &chosen).await?);
        let record = Change::of_all(action, "job").after(&changed);
        Ok::<_, JobsError>(Done::new(record, Answer::ok(&changed)))
    })
    .await
}
