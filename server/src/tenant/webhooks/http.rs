//! `/webhook-endpoints` and `/webhook-deliveries`.

use utoipa_actix_web::service_config::ServiceConfig;

use super::{deliveries, endpoints};

/// The routes of webhooks.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.configure(endpoints::routes)
        .configure(deliveries::routes);
}
