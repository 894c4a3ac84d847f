//! What opened a route. Every handler says in its signature whom it wants; here that is written
//! down for requests, asked of all routes before they are served, and insisted on afterwards.

use std::cell::Cell;
use std::future::{Ready, ready};
use std::rc::Rc;

use actix_web::body::MessageBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{FromRequest, HttpMessage, HttpRequest};

use super::code::Code;
use super::problem::Problem;

/// For a route that is anybody's.
pub const ANYBODY: &str = "anybody";
/// For a route that is whoever's has signed in: what is behind it is their own.
pub const OWN: &str = "own";

/// The permission that a route was opened by, or [`OWN`] or [`ANYBODY`].
#[derive(Debug, Clone, Copy)]
pub struct OpenedBy(pub &'static str);

/// Whoever comes: a route that anybody may call says so by asking for this.
#[derive(Debug, Clone, Copy)]
pub struct Anybody;

/// Put into an app, it has every route say what it asks for, and open to nobody.
#[derive(Debug, Clone, Default)]
pub struct Probe(Rc<Cell<Option<&'static str>>>);

impl Probe {
    /// What was asked for since the last time.
    pub fn take(&self) -> Option<&'static str> {
        self.0.take()
    }

    /// Whether a request is one that only asks what it would have to bring along.
    pub fn is_behind(req: &HttpRequest) -> bool {
        req.app_data::<Self>().is_some()
    }

    /// To be called first by whatever opens a route, before it waits for anything.
    pub(crate) fn hears(req: &HttpRequest, what: &'static str) -> Option<Problem> {
        let probe = req.app_data::<Self>()?;
        probe.0.set(Some(what));
        Some(Problem::new(Code::Unauthenticated))
    }
}

/// Remembers what opened the route that a request goes through.
pub(crate) fn opened(req: &HttpRequest, by: &'static str) {
    req.extensions_mut().insert(OpenedBy(by));
}

impl FromRequest for Anybody {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        if let Some(refusal) = Probe::hears(req, ANYBODY) {
            return ready(Err(refusal));
        }
        opened(req, ANYBODY);
        ready(Ok(Self))
    }
}

/// Nothing good is answered by a route that asked for nobody: the second lock, should the first
/// one, which looks at all routes before they are served, ever be left open.
///
/// # Errors
///
/// None of its own: a refusal is an answer, which passes through the layers further out.
pub async fn opened_only(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let response = next.call(request).await?;
    let is_good = response.status().is_success();
    let was_opened = response.request().extensions().get::<OpenedBy>().is_some();
    if !is_good || was_opened {
        return Ok(response.map_into_left_body());
    }
    let route = response.request().match_pattern().unwrap_or_default();
    let problem = Problem::internal(format!("{route} asks nobody for a permission"));
    Ok(response.error_response(problem).map_into_right_body())
}

#[cfg(test)]
mod tests {
    use actix_web::middleware::from_fn;
    use actix_web::test::{TestRequest, call_service, init_service};
    use actix_web::{App, web};

    use super::*;

    #[actix_web::test]
    async fn a_good_answer_of_a_route_that_asked_for_nobody_never_leaves() {
        let app = App::new().service(
            web::scope("/api/v1")
                .wrap(from_fn(opened_only))
                .route("/loose", web::get().to(async || "secret"))
                .route("/open", web::get().to(async |_: Anybody| "open")),
        );
        let app = init_service(app).await;
        let ask = async |path| {
            let request = TestRequest::with_uri(path).to_request();
            call_service(&app, request).await
        };

        assert_eq!(ask("/api/v1/loose").await.status(), 500);
        assert_eq!(ask("/api/v1/open").await.status(), 200);
        assert_eq!(ask("/api/v1/nowhere").await.status(), 404);
    }
}
