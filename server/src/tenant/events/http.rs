//! `/events`, `/ws` and `/event-types`.

use actix_web::http::header::{CACHE_CONTROL, CONTENT_ENCODING};
use actix_web::{HttpRequest, HttpResponse, get, web};
use utoipa_actix_web::service_config::ServiceConfig;

use super::wire::{EventTypeOut, EventsOut, EventsQuery, LastEventId, wants_a_page};
use super::{socket, sse};
use crate::auth::ReadEvents;
use crate::events::CATALOGUE;
use crate::http::{Code, Member, PageOut, Problem, ProblemOut, socket_must_be_own_pages};
use crate::live::{Follower, Medium, NoSeat, View, Wanted, read_page};
use crate::state::AppState;

/// Seconds after which a stream may have ended.
const RETRY_SECONDS: u64 = 5;

/// The routes of events.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(types).service(follow).service(open_socket);
}

/// List the kinds of events
///
/// With what their data looks like.
#[utoipa::path(tag = "events", operation_id = "list_event_types",
    security(("bearer" = [])), responses((status = 200, body = PageOut<EventTypeOut>)))]
#[get("/event-types")]
async fn types(_: Member<ReadEvents>) -> web::Json<PageOut<EventTypeOut>> {
    web::Json(PageOut {
        data: CATALOGUE.iter().map(EventTypeOut::from).collect(),
        next: None,
    })
}

/// Follow what happens
///
/// Server-sent events: `ready` with where it begins, then each event under the name of its kind,
/// `resync` when something is amiss (`expired`: events in between are not kept any more; `behind`:
/// you are slow, and all of it still comes; `unknown`: there is no such event yet), and `closed` with
/// the reason as the last. Each has an id; a client that comes again with `Last-Event-ID` is told all
/// that came meanwhile, once. A stream ends with the access token that opened it. Who accepts
/// `application/json` gets a page of the same instead.
#[utoipa::path(tag = "events", operation_id = "follow_events", params(EventsQuery, LastEventId),
    security(("bearer" = [])), responses(
    (status = 200, description = "What happens", content(
        (String = "text/event-stream"), (EventsOut = "application/json"))),
    (status = 400, body = ProblemOut, content_type = "application/problem+json"),
    (status = 429, body = ProblemOut, content_type = "application/problem+json"),
))]
#[get("/events")]
async fn follow(
    req: HttpRequest,
    who: Member<ReadEvents>,
    query: web::Query<EventsQuery>,
) -> Result<HttpResponse, Problem> {
    if wants_a_page(&req) {
        return page(&req, &who, &query).await;
    }
    let follower = follower(&req, &who, &query, Medium::Sse)?;
    let stream = sse::stream(follower, &AppState::of(&req).config.live);
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((CACHE_CONTROL, "no-store"))
        // Neither we nor a proxy may collect what is news now.
        .insert_header((CONTENT_ENCODING, "identity"))
        .insert_header(("X-Accel-Buffering", "no"))
        .streaming(stream))
}

/// Follow what happens through a WebSocket
///
/// Messages are JSON: `ready`, `event`, `resync` and `closed` as at `/events`, with the name as
/// `type`. `{"type":"subscribe","topics":["items"]}` and `unsubscribe` change what is told from then
/// on. Machines send their token as usual; a browser's cookies open it for the dealer's own pages.
#[utoipa::path(tag = "events", operation_id = "open_event_socket", params(EventsQuery),
    security(("bearer" = [])), responses(
    (status = 101, description = "From here on it is a WebSocket"),
    (status = 400, body = ProblemOut, content_type = "application/problem+json"),
    (status = 426, body = ProblemOut, content_type = "application/problem+json"),
    (status = 429, body = ProblemOut, content_type = "application/problem+json"),
))]
#[get("/ws")]
async fn open_socket(
    req: HttpRequest,
    who: Member<ReadEvents>,
    query: web::Query<EventsQuery>,
    body: web::Payload,
) -> Result<HttpResponse, Problem> {
    let (response, session, messages) = actix_ws::handle(&req, body)
        .map_err(|error| Problem::new(Code::UpgradeRequired).detail(error))?;
    socket_must_be_own_pages(&req)?;
    let follower = follower(&req, &who, &query, Medium::Socket)?;
    let pace = socket::Pace::of(&AppState::of(&req).config.live);
    actix_web::rt::spawn(socket::serve(follower, session, messages, pace));
    Ok(response)
}

fn follower(
    req: &HttpRequest,
    who: &Member<ReadEvents>,
    query: &EventsQuery,
    medium: Medium,
) -> Result<Follower, Problem> {
    let ask = query.ask()?;
    let view = View::of(&who.principal, &ask).map_err(Problem::permission_denied)?;
    let wanted = Wanted {
        tenant: who.db.tenant().key(),
        principal: who.principal.clone(),
        medium,
        shown: who.shown.clone(),
        after: query.after(req)?,
        ask,
        view,
    };
    Ok(AppState::of(req).live.follow(wanted)?)
}

async fn page(
    req: &HttpRequest,
    who: &Member<ReadEvents>,
    query: &EventsQuery,
) -> Result<HttpResponse, Problem> {
    let view = View::of(&who.principal, &query.ask()?).map_err(Problem::permission_denied)?;
    let limit = query.limit()?.cast_signed();
    let after = query.after(req)?.unwrap_or_default();
    let read = who.db.read(async |tx| read_page(tx, after, limit).await);
    let page = read.await.map_err(|error| Problem::database(&error))?;
    let first = page.events.first().map(|event| event.id);
    let last = page.events.last().map_or(page.head, |event| event.id);
    let has_missed = first.map_or(after != page.head, |first| first != after + 1);
    let shown = page.events.iter().map(AsRef::as_ref);
    let shown = shown.filter(|event| view.shows(event)).collect();
    let out = EventsOut::new(shown, last, (last < page.head, has_missed))?;
    Ok(HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "no-store"))
        .json(out))
}

impl From<NoSeat> for Problem {
    fn from(error: NoSeat) -> Self {
        match error {
            NoSeat::Yours | NoSeat::Here => Self::new(Code::TooManyStreams)
                .detail(error)
                .retry_after(RETRY_SECONDS),
        }
    }
}
