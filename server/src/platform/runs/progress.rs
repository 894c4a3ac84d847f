//! Looking at runs: once, or for as long as they go on.

use std::convert::Infallible;
use std::time::Duration;

use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, get, web};
use futures_util::Stream;
use futures_util::stream;
use provisioner::fleet::{ListPlaces, PlaceState, RunState};
use serde::Deserialize;
use tokio::sync::watch;
use tokio::time::Instant;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::Named;
use super::wire::{PlaceOut, RunOut};
use crate::http::{Code, PageOut, Problem};
use crate::kernel::Clock;
use crate::platform::operator::Operator;
use crate::platform::permission::Look;
use crate::platform::wire::ListOut;
use crate::state::AppState;

/// How often a run is looked at for somebody who watches.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// After this long without news a line says that we are still there.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// The routes that only look.
pub(super) fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list)
        .service(show)
        .service(tenants)
        .service(events);
}

/// Which runs.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct RunsQuery {
    /// How many at most, 1 to 1000; 20 when absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u16>,
}

/// Which tenants of a run.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct PlacesQuery {
    /// Only those that stand here.
    #[param(value_type = Option<String>, example = "failed")]
    state: Option<PlaceState>,
    /// Only those after this position: the `next` of the page before.
    after: Option<i32>,
    /// Rows of the page, 1 to 1000; 100 when absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u16>,
}

/// List migration runs
///
/// The latest first.
#[utoipa::path(tag = "platform", operation_id = "list_migration_runs", params(RunsQuery),
    security(("bearer" = [])), responses((status = 200, body = ListOut<RunOut>)))]
#[get("/migration-runs")]
async fn list(
    who: Operator<Look>,
    query: web::Query<RunsQuery>,
) -> Result<web::Json<ListOut<RunOut>>, Problem> {
    let limit = limit(query.limit, 20)?;
    let runs = who
        .ask(|library, _| async move { library.runs(limit).await })
        .await?;
    let runs: Vec<_> = runs
        .into_iter()
        .map(RunOut::try_from)
        .collect::<Result<_, _>>()?;
    Ok(web::Json(ListOut::of(runs)))
}

/// Show a migration run
#[utoipa::path(tag = "platform", operation_id = "show_migration_run",
    params(("run" = String, Path, description = "Id, the beginning of it, or latest")),
    security(("bearer" = [])), responses((status = 200, body = RunOut)))]
#[get("/migration-runs/{run}")]
async fn show(who: Operator<Look>, run: Named) -> Result<web::Json<RunOut>, Problem> {
    let shown = who
        .ask(|library, _| async move { library.run(&run).await })
        .await?;
    Ok(web::Json(shown.try_into()?))
}

/// List the tenants of a migration run
///
/// In the order of their turns.
#[utoipa::path(tag = "platform", operation_id = "list_tenants_of_migration_run",
    params(("run" = String, Path, description = "Id, the beginning of it, or latest"), PlacesQuery),
    security(("bearer" = [])), responses((status = 200, body = PageOut<PlaceOut>)))]
#[get("/migration-runs/{run}/tenants")]
async fn tenants(
    who: Operator<Look>,
    run: Named,
    query: web::Query<PlacesQuery>,
) -> Result<web::Json<PageOut<PlaceOut>>, Problem> {
    let which = ListPlaces {
        state: query.state,
        after: query.after,
        limit: limit(query.limit, 100)?,
    };
    let page = who
        .ask(|library, _| async move {
            let run = library.run(&run).await?;
            library.places(run.id, &which).await
        })
        .await?;
    Ok(web::Json(PageOut {
        data: page.places.into_iter().map(PlaceOut::from).collect(),
        next: page.next.map(|position| position.to_string()),
    }))
}

/// Watch a migration run
///
/// Server-sent events: `progress` with the run each time something has changed. The stream ends
/// when the run is over, or when the operator's session is.
#[utoipa::path(tag = "platform", operation_id = "watch_migration_run",
    params(("run" = String, Path, description = "Id, the beginning of it, or latest")),
    security(("bearer" = [])), responses(
        (status = 200, body = String, content_type = "text/event-stream")))]
#[get("/migration-runs/{run}/events")]
async fn events(
    req: HttpRequest,
    who: Operator<Look>,
    run: Named,
) -> Result<HttpResponse, Problem> {
    let shown = who
        .ask(|library, _| async move { library.run(&run).await })
        .await?;
    let watcher = Watcher {
        run: shown.id,
        closing: who.platform().closing.subscribe(),
        clock: AppState::of(&req).clock.clone(),
        who,
        told: None,
        spoke_at: Instant::now(),
        is_over: false,
    };
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        // Proxies that collect answers would hold back what is news now.
        .insert_header(("X-Accel-Buffering", "no"))
        .streaming(news(watcher)))
}

/// Somebody who watches a run.
struct Watcher {
    run: Uuid,
    who: Operator<Look>,
    clock: Clock,
    closing: watch::Receiver<bool>,
    /// What they were told last.
    told: Option<RunOut>,
    spoke_at: Instant,
    is_over: bool,
}

/// What there is to say, as long as there may be something to say.
fn news(watcher: Watcher) -> impl Stream<Item = Result<Bytes, Infallible>> {
    stream::unfold(watcher, async |mut watcher| {
        while !watcher.is_over {
            if watcher.told.is_some() && !watcher.waited().await {
                return None;
            }
            if let Some(said) = watcher.look().await {
                watcher.spoke_at = Instant::now();
                return Some((Ok(said), watcher));
            }
        }
        None
    })
}

impl Watcher {
    /// Waits for the time to look again; whether there is somebody to look for then.
    async fn waited(&mut self) -> bool {
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            _ = self.closing.wait_for(|is_closing| *is_closing) => return false,
        }
        self.who.is_still_signed_in(self.clock.now()).await
    }

    /// What has changed, or a line that says that we are still there.
    async fn look(&mut self) -> Option<Bytes> {
        let run = self.run;
        let looked = self
            .who
            .ask(|library, _| async move { library.run_by_id(run).await })
            .await;
        let seen = looked.map_err(Problem::from).and_then(|run| {
            let is_over = matches!(run.state, RunState::Done | RunState::Cancelled);
            Ok((is_over, RunOut::try_from(run)?))
        });
        let (is_over, seen) = match seen {
            Ok(seen) => seen,
            Err(problem) if problem.code() == Code::RunNotFound => {
                self.is_over = true;
                return None;
            }
            // A platform that is away for a moment is no end of the run.
            Err(_) => return self.heartbeat(),
        };
        self.is_over = is_over;
        if self
            .told
            .as_ref()
            .is_some_and(|told| !seen.differs_from(told))
        {
            return self.heartbeat();
        }
        let data = serde_json::to_string(&seen).ok()?;
        self.told = Some(seen);
        Some(format!("event: progress\ndata: {data}\n\n").into())
    }

    fn heartbeat(&self) -> Option<Bytes> {
        (self.spoke_at.elapsed() >= HEARTBEAT).then(|| Bytes::from_static(b": still here\n\n"))
    }
}

fn limit(wanted: Option<u16>, usual: u16) -> Result<u16, Problem> {
    match wanted.unwrap_or(usual) {
        limit @ 1..=1000 => Ok(limit),
        _ => Err(Problem::new(Code::QueryInvalid).detail("limit must be between 1 and 1000")),
    }
}
