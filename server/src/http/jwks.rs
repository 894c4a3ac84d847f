//! The public halves of the keys that access tokens are signed with, for whoever wants to check a
//! token without asking us.

use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpRequest, HttpResponse, get};

use super::problem::Problem;
use super::resolve::{is_admin_host, resolve};
use crate::state::AppState;

/// The key set (RFC 7517), the same at every host that is somebody's.
#[get("/.well-known/jwks.json")]
pub async fn key_set(req: HttpRequest) -> Result<HttpResponse, Problem> {
    if !is_admin_host(&req) {
        resolve(&req).await?;
    }
    let keys = &AppState::of(&req).keys;
    let life = format!("public, max-age={}", keys.may_be_kept_seconds());
    Ok(HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, life))
        .json(keys.published()?))
}
