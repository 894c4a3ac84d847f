//! Signing in with an identity provider: `/auth/sso/…`.

use ::entity::tenant::sso_connection;
use actix_web::cookie::{Cookie, SameSite, time::Duration as CookieLife};
use actix_web::http::header::{HeaderValue, LOCATION, SET_COOKIE};
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;
use validator::Validate;

use super::entering;
use super::error::SsoError;
use super::http::{keeper, redirect_uri};
use super::journey::{Journey, LONGEST, is_own_path};
use super::{service, store};
use crate::audit::{Actor, Change};
use crate::auth::{Beginning, Method, domain_of};
use crate::db::{SecurityEvent, TenantDb};
use crate::http::{Body, Code, Dealer, Done, Problem, ProblemOut, RequestId, TokensOut, visitor};
use crate::idp::{Identity, Registration, Return};
use crate::state::AppState;
use crate::tenant::second_factor::{self, ChallengeOut};
use crate::tenant::team::remember;

/// What a browser carries to a provider and back. With this prefix it is sent to this host alone, and
/// no neighbouring host can set it.
const COOKIE: &str = "__Host-tubex_sso";

pub(super) fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(discover).service(start).service(callback);
}

/// Whose way in is asked for.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct DiscoverIn {
    /// Only its domain counts.
    #[validate(length(min = 1, max = 320))]
    #[schema(example = "ada@acme.example")]
    email: String,
}

/// How people of a domain sign in.
#[derive(Serialize, ToSchema)]
struct DiscoverOut {
    /// The identity provider to start with; null: with a password.
    #[schema(required)]
    connection_id: Option<Uuid>,
    /// Whether passwords are refused there.
    is_required: bool,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct StartQuery {
    /// For browsers: a path of this host to go to afterwards; tokens are kept in cookies then. When
    /// absent, the end of the way answers with tokens.
    return_to: Option<String>,
}

/// What providers send along. They may send more.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct CallbackQuery {
    /// Worth an ID token.
    code: Option<String>,
    /// As it was given to the provider.
    state: Option<String>,
    /// Who sends them back.
    iss: Option<String>,
    /// Why nobody signed in.
    error: Option<String>,
}

/// How do people of this address sign in?
///
/// The answer depends on the address's domain alone: it tells nothing of who is a member.
#[utoipa::path(tag = "auth", operation_id = "discover_sso", request_body = DiscoverIn,
    responses((status = 200, body = DiscoverOut)))]
#[post("/auth/sso/discover")]
async fn discover(
    dealer: Dealer,
    body: Body<DiscoverIn>,
) -> Result<web::Json<DiscoverOut>, Problem> {
    let Some(domain) = domain_of(&body.0.email) else {
        return Ok(web::Json(DiscoverOut::of(None)));
    };
    let read = dealer
        .db
        .read(async |tx| service::of_domain(tx, &domain).await);
    Ok(web::Json(DiscoverOut::of(read.await?)))
}

/// Go to an identity provider
///
/// Leads a browser there, with all that binds its way back to it.
#[utoipa::path(tag = "auth", operation_id = "start_sso",
    params(("id" = Uuid, Path, description = "The identity provider"), StartQuery),
    responses((status = 302, description = "To the identity provider"),
        (status = 404, body = ProblemOut, content_type = "application/problem+json"),
        (status = 503, body = ProblemOut, content_type = "application/problem+json")))]
#[get("/auth/sso/{id}/start")]
async fn start(
    req: HttpRequest,
    dealer: Dealer,
    id: web::Path<Uuid>,
    query: web::Query<StartQuery>,
) -> Result<HttpResponse, Problem> {
    let return_to = query.into_inner().return_to;
    if return_to.as_deref().is_some_and(|path| !is_own_path(path)) {
        let detail = "return_to must be a path of this host, such as /orders";
        return Err(Problem::new(Code::QueryInvalid).detail(detail));
    }
    let (state, db) = (AppState::of(&req), &dealer.db);
    let connection = db.read(async |tx| service::in_use(tx, *id).await).await?;
    let registration = registration(state, db, &connection, redirect_uri(&req))?;
    let now = state.clock.now();
    let departure = state.identity_providers.depart(&registration, now).await;
    let departure = departure.map_err(SsoError::from)?;
    let back_at = (connection.id, registration.redirect_uri);
    let journey = Journey::of(&departure, back_at, return_to, now);
    let sealed = journey.seal(keeper(state, db))?;
    Ok(HttpResponse::Found()
        .insert_header((LOCATION, departure.url))
        .cookie(cookie(
            &URL_SAFE_NO_PAD.encode(sealed),
            LONGEST.whole_seconds(),
        ))
        .finish())
}

/// Come back from an identity provider
///
/// Signs in whom it vouches for: with tokens, with a challenge where a second factor is asked for,
/// or for browsers with cookies, on the way to where they wanted to go. A challenge stands in the
/// fragment of that address, as `#challenge=…`.
#[utoipa::path(tag = "auth", operation_id = "finish_sso", params(CallbackQuery),
    responses((status = 200, body = TokensOut),
        (status = 202, body = ChallengeOut, description = "The second factor is asked for"),
        (status = 303, description = "To where the browser wanted to go"),
        (status = 400, body = ProblemOut, content_type = "application/problem+json"),
        (status = 401, body = ProblemOut, content_type = "application/problem+json"),
        (status = 503, body = ProblemOut, content_type = "application/problem+json")))]
#[get("/auth/sso/callback")]
async fn callback(
    req: HttpRequest,
    dealer: Dealer,
    query: web::Query<CallbackQuery>,
) -> Result<HttpResponse, Problem> {
    let (state, db) = (AppState::of(&req), &dealer.db);
    let journey = journey(&req, db, &query)?;
    let connection = journey.connection;
    let connection = db.read(async |tx| service::in_use(tx, connection).await);
    let connection = connection.await?;
    let identity = identify(&req, db, &connection, &journey, &query)
        .await
        .inspect_err(|error| refuse(&req, db, &connection, error))?;
    let now = state.clock.now();
    let known = db.read(async |tx| entering::known(tx, &connection, &identity).await);
    let id = known.await?.map_or_else(Uuid::now_v7, |member| member.id);
    let visitor = visitor(&req, journey.client());
    let beginning = Beginning {
        method: Method::Sso,
        second_factor: false,
        visitor: &visitor,
    };
    let hash = journey.hash(keeper(state, db));
    let gate = dealer.gate.by(Actor::Member { id });
    let answered = gate.write(async |tx| {
        if !store::end_journey(tx, hash.clone(), (now, now + LONGEST)).await? {
            return Err(Problem::from(SsoError::StateInvalid));
        }
        let entrant = entering::entrant(tx, &connection, &identity, id, now)
            .await
            .inspect_err(|error| refuse(&req, db, &connection, error))?;
        let let_in = second_factor::let_in(&req, db, tx, entrant.member, beginning).await?;
        let record = match entrant.is_new {
            true => Change::new("member.provision", "member", id)
                .after(&json!({ "sso_connection": connection.id })),
            false => let_in.record,
        };
        let answer = match &journey.return_to {
            Some(path) => let_in
                .answer
                .see_other(&destination(path, let_in.challenge)),
            None => let_in.answer,
        };
        let spent = HeaderValue::from_str(&cookie("", 0).to_string()).map_err(Problem::internal)?;
        Ok(Done::new(record, answer.header(SET_COOKIE, spent)))
    });
    let answered = answered.await?;
    if let Some(email) = &identity.verified_email {
        remember(&req, db, email);
    }
    Ok(answered)
}

/// What the browser carried, if it fits what the provider sends along.
fn journey(req: &HttpRequest, db: &TenantDb, query: &CallbackQuery) -> Result<Journey, SsoError> {
    let state = AppState::of(req);
    let carried = req.cookie(COOKIE).ok_or(SsoError::StateInvalid)?;
    let sealed = URL_SAFE_NO_PAD.decode(carried.value());
    let sealed = sealed.map_err(|_| SsoError::StateInvalid)?;
    let given = query.state.as_deref().ok_or(SsoError::StateInvalid)?;
    Journey::open(keeper(state, db), &sealed, given, state.clock.now())
}

async fn identify(
    req: &HttpRequest,
    db: &TenantDb,
    connection: &sso_connection::Model,
    journey: &Journey,
    query: &CallbackQuery,
) -> Result<Identity, SsoError> {
    let state = AppState::of(req);
    if let Some(error) = &query.error {
        let error: String = error.chars().take(100).collect();
        return Err(SsoError::Refused(format!("it says {error:?}")));
    }
    let code = query.code.as_deref();
    let code = code.ok_or_else(|| SsoError::Refused("no code came".to_owned()))?;
    let registration = registration(state, db, connection, journey.redirect_uri.clone())?;
    let back = Return {
        code,
        issuer: query.iss.as_deref(),
        nonce: &journey.nonce,
        verifier: &journey.verifier,
    };
    let now = state.clock.now();
    let identified = state.identity_providers.identify(&registration, back, now);
    Ok(identified.await?)
}

fn registration(
    state: &AppState,
    db: &TenantDb,
    connection: &sso_connection::Model,
    redirect_uri: String,
) -> Result<Registration, SsoError> {
    Ok(Registration {
        tenant: db.tenant().key(),
        issuer: connection.issuer.clone(),
        client_id: connection.client_id.clone(),
        client_secret: keeper(state, db).open(connection)?,
        redirect_uri,
    })
}

/// Puts on record whose word was not taken, and why: the admin learns it there.
fn refuse(req: &HttpRequest, db: &TenantDb, connection: &sso_connection::Model, error: &SsoError) {
    let SsoError::Refused(why) = error else {
        return;
    };
    AppState::of(req).security.record(SecurityEvent {
        tenant: Some(db.tenant().key()),
        kind: "sso_refused",
        detail: json!({ "sso_connection": connection.id, "because": why }),
        request_id: RequestId::of(req).map(|id| id.to_string()),
    });
}

/// Where a browser goes. A challenge stands in the fragment, which no server sees or logs.
fn destination(path: &str, challenge: Option<String>) -> String {
    match challenge {
        Some(challenge) => {
            let page = path.split('#').next().unwrap_or_default();
            format!("{page}#challenge={challenge}")
        }
        None => path.to_owned(),
    }
}

/// Lax, not strict: the way back begins at the provider.
fn cookie(value: &str, seconds: i64) -> Cookie<'_> {
    Cookie::build(COOKIE, value)
        .path("/")
        .secure(true)
        .http_only(true)
        .same_site(SameSite::Lax)
        .max_age(CookieLife::seconds(seconds))
        .finish()
}

impl DiscoverOut {
    fn of(connection: Option<sso_connection::Model>) -> Self {
        Self {
            connection_id: connection.as_ref().map(|it| it.id),
            is_required: connection.is_some_and(|it| it.is_enforced),
        }
    }
}
