//! `/me/dealers` and `/auth/switch`.

use actix_web::{HttpRequest, HttpResponse, get, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;
use validator::Validate;

use super::places::Place;
use super::{passage, places, service};
use crate::auth::OneTimeToken;
use crate::http::{Body, Caller, Dealer, Problem, ProblemOut, TokensOut};
use crate::state::AppState;

/// The routes of going over.
pub(in crate::tenant::team) fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(dealers).service(leave).service(arrive);
}

/// The dealers of one person.
#[derive(Serialize, ToSchema)]
struct PlacesOut {
    data: Vec<PlaceOut>,
}

/// A dealer where you are a member.
#[derive(Serialize, ToSchema)]
struct PlaceOut {
    id: Uuid,
    slug: String,
    name: String,
    /// Where it is.
    #[schema(example = "https://acme.tubex.example")]
    url: String,
    /// Whether it is the one that you ask.
    is_here: bool,
}

/// Where to go.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct SwitchIn {
    /// A dealer of `/me/dealers`.
    tenant_id: Uuid,
}

/// A ticket to another dealer.
#[derive(Serialize, ToSchema)]
pub(super) struct TicketOut {
    /// To be redeemed there; it works once.
    ticket: String,
    /// Where there is.
    url: String,
    /// Life of the ticket, seconds.
    #[schema(example = 30)]
    expires_in: i64,
}

/// A ticket that leads here.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct ArrivalIn {
    #[validate(length(min = 1, max = 200))]
    #[schema(example = "tbxo_q8pX5cF0…")]
    ticket: String,
}

impl TicketOut {
    pub(super) fn new(ticket: &OneTimeToken, url: String) -> Self {
        Self {
            ticket: ticket.as_str().to_owned(),
            url,
            expires_in: service::TICKET_LIFE.whole_seconds(),
        }
    }
}

/// List your dealers
///
/// Those where a member with your address has proven it, and has signed in since.
#[utoipa::path(tag = "auth", operation_id = "list_my_dealers", security(("bearer" = [])),
    responses((status = 200, body = PlacesOut)))]
#[get("/me/dealers")]
async fn dealers(req: HttpRequest, caller: Caller) -> Result<web::Json<PlacesOut>, Problem> {
    let state = AppState::of(&req);
    let here = caller.db.tenant().key().id();
    let found = places::of(state, &caller.principal.person.email).await?;
    let data = found.into_iter().map(|place| shown(state, place, here));
    Ok(web::Json(PlacesOut {
        data: data.collect(),
    }))
}

/// Get a ticket to another of your dealers
///
/// For half a minute. A dealer that asks you for a second factor, or has its own identity provider,
/// wants you to sign in there.
#[utoipa::path(tag = "auth", operation_id = "switch_dealer", request_body = SwitchIn,
    security(("bearer" = [])), responses(
    (status = 200, body = TicketOut),
    (status = 403, body = ProblemOut, content_type = "application/problem+json"),
    (status = 404, body = ProblemOut, content_type = "application/problem+json"),
))]
#[post("/auth/switch")]
async fn leave(
    req: HttpRequest,
    caller: Caller,
    body: Body<SwitchIn>,
) -> Result<HttpResponse, Problem> {
    passage::leave(&req, &caller, body.0.tenant_id).await
}

/// Begin a session with a ticket
#[utoipa::path(tag = "auth", operation_id = "redeem_switch", request_body = ArrivalIn, responses(
    (status = 200, body = TokensOut),
    (status = 400, body = ProblemOut, content_type = "application/problem+json"),
    (status = 403, body = ProblemOut, content_type = "application/problem+json"),
))]
#[post("/auth/switch/redeem")]
async fn arrive(
    req: HttpRequest,
    dealer: Dealer,
    body: Body<ArrivalIn>,
) -> Result<HttpResponse, Problem> {
    let ticket = OneTimeToken::from_wire(body.0.ticket);
    passage::arrive(&req, &dealer, ticket).await
}

fn shown(state: &AppState, place: Place, here: Uuid) -> PlaceOut {
    PlaceOut {
        url: state.mailer.links().home(&place.slug),
        is_here: place.id == here,
        id: place.id,
        slug: place.slug,
        name: place.name,
    }
}
