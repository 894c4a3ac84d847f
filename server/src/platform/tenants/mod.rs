//! Tenants, as operators see and change them. A tenant is named by its id or its slug.

mod change;
mod copying;
mod creation;
mod domains;
mod life;
mod owner;
mod reading;

use actix_web::web;
use utoipa_actix_web::service_config::ServiceConfig;

/// The id or the slug in an address.
type Named = web::Path<String>;

/// The routes of tenants.
pub(super) fn routes(cfg: &mut ServiceConfig<'_>) {
    reading::routes(cfg);
    creation::routes(cfg);
    owner::routes(cfg);
    change::routes(cfg);
    copying::routes(cfg);
    life::routes(cfg);
    domains::routes(cfg);
}
