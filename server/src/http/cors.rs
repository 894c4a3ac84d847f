//! Requests from web pages of other origins: refused unless the dealer named the origin.

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_METHOD, HeaderMap, HeaderValue, ORIGIN,
};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpRequest, HttpResponse};

use serde_json::Value;

use super::code::Code;
use super::problem::Problem;
use super::resolve::resolve;
use crate::db::Purpose;
use crate::origins::CORS_ORIGINS;
use crate::state::AppState;

const METHODS: &str = "GET, POST, PUT, PATCH, DELETE";
/// What requests to us may carry.
const TAKEN: &str =
    "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID";
/// What a page may read of our answers besides the few headers it always may.
const SHOWN: &str = "Deprecation, ETag, Idempotency-Replayed, Link, Location, RateLimit, \
     RateLimit-Policy, Retry-After, Sunset, X-Request-Id";
/// How long a browser may remember that it may ask, seconds. An origin that is taken off the list
/// can read nothing from then on, and sends nothing after this.
const REMEMBERED: &str = "5";

/// Answers a browser that asks whether a page may ask, and notes that a page may read the answer.
/// It stands before authentication: browsers ask without a token.
///
/// # Errors
///
/// None of its own.
pub async fn cross_origin(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody>>, Error> {
    let is_dealers = request.path().starts_with("/api/");
    let Some(origin) = one_origin(request.request()).filter(|_| is_dealers) else {
        return Ok(next.call(request).await?.map_into_left_body());
    };
    let is_allowed = is_allowed(request.request(), &origin).await;
    if is_preflight(&request) {
        let answer = match is_allowed {
            Ok(true) => may_ask(&origin),
            Ok(false) => return Ok(refused(request, Problem::new(Code::OriginRefused))),
            Err(problem) => return Ok(refused(request, problem)),
        };
        return Ok(request.into_response(answer).map_into_right_body());
    }
    if matches!(is_allowed, Ok(true)) {
        request.extensions_mut().insert(Allowed(origin));
    }
    Ok(next.call(request).await?.map_into_left_body())
}

/// The origin whose pages may read the answer.
struct Allowed(HeaderValue);

/// Lets the page read the answer, whatever became of it on its way out.
pub(super) fn add_headers(req: &HttpRequest, headers: &mut HeaderMap) {
    if let Some(Allowed(origin)) = req.extensions().get::<Allowed>() {
        allow(headers, origin);
        let shown = HeaderValue::from_static(SHOWN);
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, shown);
    }
}

fn refused<B>(request: ServiceRequest, problem: Problem) -> ServiceResponse<EitherBody<B>> {
    request.error_response(problem).map_into_right_body()
}

/// The origin, if there is exactly one.
fn one_origin(req: &HttpRequest) -> Option<HeaderValue> {
    let mut all = req.headers().get_all(ORIGIN);
    let origin = all.next().cloned();
    origin.filter(|_| all.next().is_none())
}

fn is_preflight(request: &ServiceRequest) -> bool {
    request.method() == Method::OPTIONS
        && request
            .headers()
            .contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

async fn is_allowed(req: &HttpRequest, origin: &HeaderValue) -> Result<bool, Problem> {
    let state = AppState::of(req);
    let tenant = resolve(req).await?;
    let Ok(origin) = origin.to_str() else {
        return Ok(false);
    };
    let db = state.directory.enter_for(Purpose::Read, &tenant)?;
    let list = state.settings.get::<Value>(&db, CORS_ORIGINS).await;
    let list = list.map_err(|error| Problem::database(&error))?;
    // A list that isn't one opens nothing.
    let list = list.and_then(|list| list.as_array().cloned());
    Ok(list.is_some_and(|list| list.iter().any(|named| named == origin)))
}

fn may_ask(origin: &HeaderValue) -> HttpResponse {
    let mut answer = HttpResponse::NoContent().finish();
    let headers = answer.headers_mut();
    allow(headers, origin);
    for (name, value) in [
        (ACCESS_CONTROL_ALLOW_METHODS, METHODS),
        (ACCESS_CONTROL_ALLOW_HEADERS, TAKEN),
        (ACCESS_CONTROL_MAX_AGE, REMEMBERED),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    answer
}

/// Names the one origin, never all of them.
fn allow(headers: &mut HeaderMap, origin: &HeaderValue) {
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    headers.insert(
        ACCESS_CONTROL_ALLOW_CREDENTIALS,
        HeaderValue::from_static("true"),
    );
}
