//! How metrics are told: `/metrics` at the internal port, beside the health routes.

use actix_web::{HttpRequest, HttpResponse, get, web};

use crate::state::AppState;

/// The version of the format is part of its name; Prometheus and its kin all read it.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The internal port's own routes.
pub fn routes(cfg: &mut web::ServiceConfig) {
    cfg.service(metrics);
}

#[get("/metrics")]
async fn metrics(req: HttpRequest) -> HttpResponse {
    match AppState::of(&req).metrics.text() {
        Ok(text) => HttpResponse::Ok().content_type(OPEN_METRICS).body(text),
        Err(error) => {
            tracing::error!(error = %error, "metrics could not be told");
            HttpResponse::InternalServerError().finish()
        }
    }
}
