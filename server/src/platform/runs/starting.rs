//! Beginning a run. Whoever works on runs takes it up by themselves.

use std::str::FromStr;

use actix_web::{HttpResponse, post};
use provisioner::fleet::{Canary, MaxFailures, Selector};
use provisioner::{RunOptions, Started};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use super::wire::RunOut;
use crate::http::{Body, Problem, ProblemOut};
use crate::platform::operator::Operator;
use crate::platform::permission::RunMigrations;

/// The route that begins one.
pub(super) fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(start);
}

/// How to go about a run. What is absent is as with `tubex migrate`.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct RunIn {
    /// Where to; the newest migration of this build when absent.
    to: Option<String>,
    /// Only these: tag=, plan=, lane=, node=, version=, slug=, size<10MB, active<24h, idle>30d, with
    /// commas between.
    #[schema(example = "tag=pilot")]
    only: Option<String>,
    /// Who goes first: a number, or a selector.
    #[schema(example = "3")]
    canary: Option<String>,
    /// Up to which percentage of the others each wave goes, rising to 100.
    #[schema(example = json!([10, 50, 100]))]
    waves: Option<Vec<u8>>,
    /// Whether somebody has to approve each wave after the first.
    approve: Option<bool>,
    /// How long a wave is watched before it is judged, seconds.
    watch_seconds: Option<u32>,
    /// Halt when more fail: a number, or a share such as 5%.
    #[schema(example = "5%")]
    max_failures: Option<String>,
    /// How long a statement may wait for a lock, milliseconds.
    lock_timeout_ms: Option<u32>,
    /// How long one statement may run, milliseconds.
    statement_timeout_ms: Option<u32>,
    /// How often a tenant is tried whose locks are not to be had.
    attempts: Option<u32>,
    /// Rows in one batch of a back-fill.
    batch_rows: Option<u32>,
    /// Take a contract although live servers need what it takes away; said in the log.
    force: Option<bool>,
}

/// What a start came to.
#[derive(Serialize, ToSchema)]
struct StartedOut {
    /// `started`, `joined` a run to the same version that was not over, or `nothing` to do.
    #[schema(example = "started")]
    outcome: &'static str,
    /// Null when there is nothing to do.
    #[schema(required)]
    run: Option<RunOut>,
    /// When there is nothing to do: how many stand there already.
    #[serde(skip_serializing_if = "Option::is_none")]
    there: Option<i64>,
    /// When there is nothing to do: how many stand at versions that this build does not know.
    #[serde(skip_serializing_if = "Option::is_none")]
    ahead: Option<i64>,
}

/// Carry a new version over the fleet
///
/// Begins a run, or joins the one that leads to the same version.
#[utoipa::path(tag = "platform", operation_id = "start_migration_run", request_body = RunIn,
    security(("bearer" = [])), responses(
        (status = 200, body = StartedOut, description = "Joined, or nothing to do"),
        (status = 201, body = StartedOut, headers(
            ("Location" = String, description = "Where the run is found"))),
        (status = 409, body = ProblemOut, content_type = "application/problem+json"),
    ))]
#[post("/migration-runs")]
async fn start(who: Operator<RunMigrations>, body: Body<RunIn>) -> Result<HttpResponse, Problem> {
    let options = read(body.0)?;
    let started = who
        .ask(|library, actor| async move { library.start_run(options, &actor).await })
        .await?;
    who.platform().bell.notify_one();
    match started {
        Started::New(run) => {
            let run = RunOut::try_from(*run)?;
            Ok(HttpResponse::Created()
                .insert_header(("Location", run.address()))
                .json(told("started", Some(run))))
        }
        Started::Joined(run) => {
            Ok(HttpResponse::Ok().json(told("joined", Some((*run).try_into()?))))
        }
        Started::Nothing { there, ahead, .. } => Ok(HttpResponse::Ok().json(StartedOut {
            there: Some(there),
            ahead: Some(ahead),
            ..told("nothing", None)
        })),
    }
}

fn told(outcome: &'static str, run: Option<RunOut>) -> StartedOut {
    StartedOut {
        outcome,
        run,
        there: None,
        ahead: None,
    }
}

fn read(body: RunIn) -> Result<RunOptions, Problem> {
    let usual = RunOptions::default();
    Ok(RunOptions {
        to: body.to,
        only: parsed::<Selector>("/only", body.only)?.unwrap_or_default(),
        canary: parsed::<Canary>("/canary", body.canary)?,
        waves: body.waves.unwrap_or(usual.waves),
        approve: body.approve.unwrap_or(usual.approve),
        watch_seconds: body.watch_seconds.unwrap_or(usual.watch_seconds),
        max_failures: parsed::<MaxFailures>("/max_failures", body.max_failures)?
            .unwrap_or(usual.max_failures),
        lock_timeout_ms: body.lock_timeout_ms.unwrap_or(usual.lock_timeout_ms),
        statement_timeout_ms: body
            .statement_timeout_ms
            .unwrap_or(usual.statement_timeout_ms),
        attempts: body.attempts.unwrap_or(usual.attempts),
        batch_rows: body.batch_rows.unwrap_or(usual.batch_rows),
        force: body.force.unwrap_or(usual.force),
    })
}

fn parsed<T: FromStr<Err = String>>(
    pointer: &str,
    text: Option<String>,
) -> Result<Option<T>, Problem> {
    text.map(|text| text.parse())
        .transpose()
        .map_err(|reason| Problem::field(pointer, "shape", reason))
}
