//! The fleet at a glance, where tenants are, and what they may use: status, lanes, nodes, plans.

use actix_web::{get, web};
use provisioner::FleetStatus;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::operator::Operator;
use super::permission::Look;
use super::wire::{LaneOut, ListOut, NodeOut, PlanOut};
use crate::http::Problem;

/// The routes of lanes, nodes and plans.
pub(super) fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(status)
        .service(lanes)
        .service(nodes)
        .service(plans);
}

/// The fleet at a glance, as `tubex status --json` shows it.
#[derive(Serialize, ToSchema)]
#[schema(value_type = Object)]
struct StatusOut(FleetStatus);

/// See the fleet at a glance
///
/// How many stand at which version and status, what failed, spares, the run that is not over.
#[utoipa::path(tag = "platform", operation_id = "show_status", security(("bearer" = [])), responses(
    (status = 200, body = StatusOut),
))]
#[get("/status")]
async fn status(who: Operator<Look>) -> Result<web::Json<StatusOut>, Problem> {
    let status = who
        .ask(|library, _| async move { library.status().await })
        .await?;
    Ok(web::Json(StatusOut(status)))
}

/// List lanes
#[utoipa::path(tag = "platform", operation_id = "list_lanes", security(("bearer" = [])), responses(
    (status = 200, body = ListOut<LaneOut>),
))]
#[get("/lanes")]
async fn lanes(who: Operator<Look>) -> Result<web::Json<ListOut<LaneOut>>, Problem> {
    let lanes = who
        .ask(|library, _| async move { library.lanes().await })
        .await?;
    Ok(web::Json(ListOut::of(lanes)))
}

/// List nodes
#[utoipa::path(tag = "platform", operation_id = "list_nodes", security(("bearer" = [])), responses(
    (status = 200, body = ListOut<NodeOut>),
))]
#[get("/nodes")]
async fn nodes(who: Operator<Look>) -> Result<web::Json<ListOut<NodeOut>>, Problem> {
    let nodes = who
        .ask(|library, _| async move { library.nodes().await })
        .await?;
    Ok(web::Json(ListOut::of(nodes)))
}

/// List plans
#[utoipa::path(tag = "platform", operation_id = "list_plans", security(("bearer" = [])), responses(
    (status = 200, body = ListOut<PlanOut>),
))]
#[get("/plans")]
async fn plans(who: Operator<Look>) -> Result<web::Json<ListOut<PlanOut>>, Problem> {
    let plans = who
        .ask(|library, _| async move { library.plans().await })
        .await?;
    Ok(web::Json(ListOut::of(plans)))
}
