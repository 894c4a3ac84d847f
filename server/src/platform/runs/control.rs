//! What operators say to a run.

use actix_web::{HttpRequest, HttpResponse, post, web};
use provisioner::RunEntry;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use super::Named;
use super::wire::RunOut;
use crate::http::{Body, Problem, ProblemOut};
use crate::platform::operator::Operator;
use crate::platform::permission::RunMigrations;
use crate::platform::record::Deed;

/// The routes that change a run.
pub(super) fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(pause)
        .service(resume)
        .service(approve)
        .service(cancel)
        .service(retry)
        .service(rollback)
        .service(skip);
}

/// What trying again came to.
#[derive(Serialize, ToSchema)]
struct RetriedOut {
    /// How many have their turn again.
    again: u64,
    run: RunOut,
}

/// How to take a run back.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct RollbackIn {
    /// Go back although live servers need what would be taken back; said in the log.
    #[serde(default)]
    force: bool,
}

/// Why a tenant is left out.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct SkipIn {
    /// Goes into the tenant's history, so no personal data.
    #[validate(length(min = 1, max = 500))]
    #[schema(example = "its table was changed by hand")]
    reason: String,
}

/// Let nobody take another tenant
///
/// What is in hand is finished.
#[utoipa::path(tag = "platform", operation_id = "pause_migration_run",
    params(("run" = String, Path, description = "Id, the beginning of it, or latest")),
    security(("bearer" = [])), responses((status = 200, body = RunOut),
        (status = 409, body = ProblemOut, content_type = "application/problem+json")))]
#[post("/migration-runs/{run}/pause")]
async fn pause(who: Operator<RunMigrations>, run: Named) -> Result<web::Json<RunOut>, Problem> {
    let said = who.ask(|library, actor| async move {
        let run = library.run(&run).await?;
        library.pause_run(run.id, &actor).await
    });
    changed(&who, said.await?)
}

/// Go on with a run that is paused or has halted
#[utoipa::path(tag = "platform", operation_id = "resume_migration_run",
    params(("run" = String, Path, description = "Id, the beginning of it, or latest")),
    security(("bearer" = [])), responses((status = 200, body = RunOut),
        (status = 409, body = ProblemOut, content_type = "application/problem+json")))]
#[post("/migration-runs/{run}/resume")]
async fn resume(who: Operator<RunMigrations>, run: Named) -> Result<web::Json<RunOut>, Problem> {
    let said = who.ask(|library, actor| async move {
        let run = library.run(&run).await?;
        library.resume_run(run.id, &actor).await
    });
    changed(&who, said.await?)
}

/// Let the next wave begin
#[utoipa::path(tag = "platform", operation_id = "approve_migration_run",
    params(("run" = String, Path, description = "Id, the beginning of it, or latest")),
    security(("bearer" = [])), responses((status = 200, body = RunOut),
        (status = 409, body = ProblemOut, content_type = "application/problem+json")))]
#[post("/migration-runs/{run}/approve")]
async fn approve(who: Operator<RunMigrations>, run: Named) -> Result<web::Json<RunOut>, Problem> {
    let said = who.ask(|library, actor| async move {
        let run = library.run(&run).await?;
        library.approve_run(run.id, &actor).await
    });
    changed(&who, said.await?)
}

/// End a run
///
/// Who was moved stays moved, the others stay where they are.
#[utoipa::path(tag = "platform", operation_id = "cancel_migration_run",
    params(("run" = String, Path, description = "Id, the beginning of it, or latest")),
    security(("bearer" = [])), responses((status = 200, body = RunOut),
        (status = 409, body = ProblemOut, content_type = "application/problem+json")))]
#[post("/migration-runs/{run}/cancel")]
async fn cancel(who: Operator<RunMigrations>, run: Named) -> Result<web::Json<RunOut>, Problem> {
    let said = who.ask(|library, actor| async move {
        let run = library.run(&run).await?;
        library.cancel_run(run.id, &actor).await
    });
    changed(&who, said.await?)
}

/// Tells of a run, and whoever works on runs that there may be something to do.
fn changed(who: &Operator<RunMigrations>, run: RunEntry) -> Result<web::Json<RunOut>, Problem> {
    who.platform().bell.notify_one();
    Ok(web::Json(run.try_into()?))
}

/// Give everybody who failed or was quarantined another turn
#[utoipa::path(tag = "platform", operation_id = "retry_migration_run",
    params(("run" = String, Path, description = "Id, the beginning of it, or latest")),
    security(("bearer" = [])), responses((status = 200, body = RetriedOut),
        (status = 409, body = ProblemOut, content_type = "application/problem+json")))]
#[post("/migration-runs/{run}/retry")]
async fn retry(who: Operator<RunMigrations>, run: Named) -> Result<web::Json<RetriedOut>, Problem> {
    let asked = who.ask(|library, actor| async move {
        let run = library.run(&run).await?;
        library.retry_run(run.id, &actor).await
    });
    let retried = asked.await?;
    who.platform().bell.notify_one();
    Ok(web::Json(RetriedOut {
        again: retried.again,
        run: retried.run.try_into()?,
    }))
}

/// Take a run back
///
/// Exactly those whom it moved, the last one first; a run of its own. One that is not over is
/// cancelled. Refused across a contract.
#[utoipa::path(tag = "platform", operation_id = "rollback_migration_run", request_body = RollbackIn,
    params(("run" = String, Path, description = "Id, the beginning of it, or latest")),
    security(("bearer" = [])), responses(
        (status = 201, body = RunOut, headers(
            ("Location" = String, description = "Where the new run is found"))),
        (status = 409, body = ProblemOut, content_type = "application/problem+json")))]
#[post("/migration-runs/{run}/rollback")]
async fn rollback(
    who: Operator<RunMigrations>,
    run: Named,
    body: Body<RollbackIn>,
) -> Result<HttpResponse, Problem> {
    let asked = who.ask(|library, actor| async move {
        let run = library.run(&run).await?;
        library.rollback_run(run.id, body.0.force, &actor).await
    });
    let back = RunOut::try_from(asked.await?)?;
    who.platform().bell.notify_one();
    Ok(HttpResponse::Created()
        .insert_header(("Location", back.address()))
        .json(back))
}

/// Leave a tenant out of a run
#[utoipa::path(tag = "platform", operation_id = "skip_tenant_of_migration_run", request_body = SkipIn,
    params(("run" = String, Path, description = "Id, the beginning of it, or latest"),
        ("tenant" = String, Path, description = "Id or slug")),
    security(("bearer" = [])), responses((status = 200, body = RunOut),
        (status = 409, body = ProblemOut, content_type = "application/problem+json")))]
#[post("/migration-runs/{run}/tenants/{tenant}/skip")]
async fn skip(
    req: HttpRequest,
    who: Operator<RunMigrations>,
    path: web::Path<(String, String)>,
    body: Body<SkipIn>,
) -> Result<web::Json<RunOut>, Problem> {
    let (run, tenant) = path.into_inner();
    let reason = body.0.reason;
    let deed = Deed::new(
        "migration_run.skip",
        json!({ "run": run, "reason": reason }),
    );
    let named = tenant.clone();
    let asked = who.act_on(&req, &named, deed, |library, actor| async move {
        let run = library.run(&run).await?;
        library.skip_tenant(run.id, &tenant, &reason, &actor).await
    });
    changed(&who, asked.await?)
}
