//! What every request passes through: an id, a time limit, one line in the log, and errors in
//! our own words.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, VARY,
};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpRequest};
use uuid::Uuid;

use super::code::Code;
use super::problem::Problem;
use super::{cors, deprecation, limits, representation, security};
use crate::db::Tenant;
use crate::metrics::Serving;
use crate::state::AppState;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// What an answer of the API depends on besides its address.
const VARIES: &str = "Accept-Encoding, Authorization, Cookie, Origin, X-Tenant-ID";
/// The one address that may take long: whole price files arrive here.
const IMPORTS: &str = "/api/v1/imports";

/// Names one request in the log, in answers and in records.
#[derive(Debug, Clone, Copy)]
pub struct RequestId(Uuid);

impl RequestId {
    /// The id of this request.
    pub fn of(req: &HttpRequest) -> Option<Self> {
        req.extensions().get::<Self>().copied()
    }

    /// Names the request in the headers of its answer.
    pub(super) fn put_into(self, headers: &mut HeaderMap) {
        if let Ok(value) = HeaderValue::from_str(&self.to_string()) {
            headers.insert(REQUEST_ID, value);
        }
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Wraps every request. It is the outermost layer, so nothing leaves the server without an id.
///
/// # Errors
///
/// Only that the request took too long; every other error has become an answer here.
pub async fn each_request(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let id = RequestId(Uuid::now_v7());
    let serving = AppState::of(request.request())
        .metrics
        .serving(request.method(), request.match_pattern().as_deref());
    request.extensions_mut().insert(id);
    request.extensions_mut().insert(serving.tenant());

    // The request can't be kept: the router wants to be its only owner.
    let limit = time_limit(request.request());
    let public_scheme = AppState::of(request.request()).config.http.public_scheme;
    let Ok(outcome) = tokio::time::timeout(limit, next.call(request)).await else {
        tracing::warn!(request_id = %id, limit_ms = limit.as_millis(), "request took too long");
        serving.answered(Code::RequestTimedOut.status());
        return Err(Problem::new(Code::RequestTimedOut)
            .during(id, public_scheme)
            .into());
    };
    let mut response = in_our_words(outcome?.map_into_boxed_body(), id);
    add_headers(&mut response, id);
    log(&response, id, &serving);
    serving.answered(response.status());
    Ok(response)
}

/// Whatever was answered, by whomever. Answers of the API are one caller's own, so nothing between
/// us may keep them.
fn add_headers(response: &mut ServiceResponse<BoxBody>, id: RequestId) {
    let req = response.request().clone();
    let (path, config) = (req.path(), &AppState::of(&req).config.http);
    let is_api = ["/api/v1/", "/platform/v1/"]
        .iter()
        .any(|root| path.starts_with(root));
    let headers = response.headers_mut();
    id.put_into(headers);
    representation::tidy(headers);
    limits::add_headers(&req, headers);
    cors::add_headers(&req, headers);
    deprecation::add_headers(&req, headers);
    security::add_headers(path, config.public_scheme, headers);
    if is_api {
        headers.insert(VARY, HeaderValue::from_static(VARIES));
        if !headers.contains_key(CACHE_CONTROL) {
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
    }
}

fn time_limit(req: &HttpRequest) -> Duration {
    let config = &AppState::of(req).config;
    let is_import = req.path() == IMPORTS;
    let limit = if is_import {
        config.imports.timeout_ms
    } else {
        config.http.request_timeout_ms
    };
    Duration::from_millis(limit)
}

/// Errors of ours get the request's id; errors that a library answered become ours.
fn in_our_words(response: ServiceResponse<BoxBody>, id: RequestId) -> ServiceResponse<BoxBody> {
    if let Some(problem) = problem_of(&response) {
        let answer = problem.answer(Some(&id));
        return with_cause(response, answer);
    }
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    // Libraries answer with plain text or nothing; JSON was made on purpose, as by `/readyz`.
    let is_deliberate = response
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/"));
    if !is_error || is_deliberate {
        return response;
    }
    let mut problem = Problem::new(Code::of_status(status));
    if let Some(error) = response
        .response()
        .error()
        .filter(|_| status.is_client_error())
    {
        problem = problem.detail(error);
    }
    let answer = problem.answer(Some(&id));
    with_cause(response, answer)
}

/// The answer in place of the response; the error stays with it for the log.
fn with_cause(
    response: ServiceResponse<BoxBody>,
    answer: actix_web::HttpResponse,
) -> ServiceResponse<BoxBody> {
    if let Some(problem) = problem_of(&response) {
        response.request().extensions_mut().insert(Cause {
            code: problem.code(),
            cause: problem.cause().map(ToOwned::to_owned),
        });
    }
    response.into_response(answer)
}

/// What the log is told of a failed request.
struct Cause {
    code: Code,
    cause: Option<String>,
}

fn problem_of(response: &ServiceResponse<BoxBody>) -> Option<&Problem> {
    response
        .response()
        .error()
        .and_then(|error| error.as_error::<Problem>())
}

/// One event a request. A server error is somebody's to look at; a refused request is not.
fn log(response: &ServiceResponse<BoxBody>, id: RequestId, serving: &Serving) {
    let req = response.request();
    let extensions = req.extensions();
    let failure = extensions.get::<Cause>();
    let tenant = extensions.get::<Arc<Tenant>>().map(|tenant| tenant.key());
    let status = response.status();
    macro_rules! event {
        ($level:ident, $message:literal) => {
            tracing::$level!(
                request_id = %id,
                tenant.id = tenant.map(tracing::field::display),
                http.method = %req.method(),
                http.route = serving.route(),
                http.status = status.as_u16(),
                duration_ms = u64::try_from(serving.took().as_millis()).unwrap_or(u64::MAX),
                problem = failure.map(|failure| failure.code.slug()),
                cause = failure.and_then(|failure| failure.cause.as_deref()),
                $message
            )
        };
    }
    if status.is_server_error() && status.as_u16() != 503 {
        event!(error, "request failed");
    } else if status.is_server_error() {
        event!(warn, "request refused for now");
    } else {
        event!(info, "request served");
    }
}
