//! `/imports`.
use utoipa_actix_web::service_config::ServiceConfig;
/// Routes.
pub fn routes(_cfg: &mut ServiceConfig<'_>) {}
