//! The few pages for people: the dealer's front door, the API's documentation, the problems.

use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpRequest, HttpResponse, get};
use askama::Template;

use super::code::Code;
use super::problem::Problem;
use super::resolve::{Dealer, is_admin_host, resolve};

/// What all pages look like.
const STYLE: &str = include_str!("../web/assets/pages.css");

#[derive(Template)]
#[template(path = "landing.html")]
struct Landing<'a> {
    name: &'a str,
}

#[derive(Template)]
#[template(path = "problems.html")]
struct Problems {
    codes: &'static [Code],
}

/// The dealer's front door.
#[get("/")]
pub async fn landing(dealer: Dealer) -> Result<HttpResponse, Problem> {
    page(&Landing {
        name: dealer.db.tenant().name(),
    })
}

/// What each kind of problem means; every error's `type` leads here.
#[get("/problems{tail:(/.*)?}")]
pub async fn problems(req: HttpRequest) -> Result<HttpResponse, Problem> {
    if !is_admin_host(&req) {
        resolve(&req).await?;
    }
    page(&Problems { codes: Code::ALL })
}

/// The short address of the documentation.
#[get("/api/docs")]
pub async fn docs(req: HttpRequest) -> Result<HttpResponse, Problem> {
    resolve(&req).await?;
    Ok(HttpResponse::Found()
        .insert_header(("Location", "/api/docs/"))
        .finish())
}

/// The style sheet of the pages.
#[get("/assets/pages.css")]
pub async fn style(req: HttpRequest) -> Result<HttpResponse, Problem> {
    if !is_admin_host(&req) {
        resolve(&req).await?;
    }
    Ok(HttpResponse::Ok()
        .content_type("text/css; charset=utf-8")
        .insert_header((CACHE_CONTROL, "public, max-age=300"))
        .body(STYLE))
}

/// A page, made anew for every request.
pub(super) fn page(template: &impl Template) -> Result<HttpResponse, Problem> {
    let html = template.render().map_err(Problem::internal)?;
    Ok(HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(html))
}
