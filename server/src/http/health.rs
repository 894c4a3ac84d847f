//! Is the process alive, and can it serve? Answered on every host, for orchestrators.

use actix_web::{HttpRequest, HttpResponse, get, web};
use serde_json::json;

use crate::state::AppState;

/// The health routes.
pub fn routes(cfg: &mut web::ServiceConfig) {
    cfg.service(livez).service(readyz);
}

/// Alive as long as it answers; it depends on nothing.
#[get("/livez")]
async fn livez() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "alive" }))
}

/// Ready when the walls between dealers were seen to stand, the directory and the signing keys were
/// read and the database answers. Redis is told but not needed.
#[get("/readyz")]
async fn readyz(req: HttpRequest) -> HttpResponse {
    let state = AppState::of(&req);
    let is_isolated = state.admission.is_open();
    let has_directory = state.directory.is_loaded();
    let has_database = state.directory.ping().await.is_ok();
    let redis = match state.redis.answers().await {
        None => "none",
        Some(true) => "ok",
        Some(false) => "away",
    };
    let has_keys = state.keys.are_known();
    let is_ready = is_isolated && has_directory && has_database && has_keys;
    let mut response = if is_ready {
        HttpResponse::Ok()
    } else {
        HttpResponse::ServiceUnavailable()
    };
    response.json(json!({
        "status": if is_ready { "ready" } else { "not ready" },
        "isolation": if is_isolated { "ok" } else { "not checked yet" },
        "directory": if has_directory { "ok" } else { "not read yet" },
        "database": if has_database { "ok" } else { "away" },
        "signing_keys": if has_keys { "ok" } else { "not read yet" },
        "redis": redis,
    }))
}
