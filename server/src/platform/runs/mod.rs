//! Migrations over the fleet: begun, watched, and told what to do. A run is named by its id, the
//! beginning of it, or `latest`.

mod control;
mod progress;
mod starting;
mod wire;
mod work;

use actix_web::web;
use utoipa_actix_web::service_config::ServiceConfig;

pub(super) use work::work;

/// The run in an address.
type Named = web::Path<String>;

/// The routes of runs.
pub(super) fn routes(cfg: &mut ServiceConfig<'_>) {
    starting::routes(cfg);
    control::routes(cfg);
    progress::routes(cfg);
}
