//! Sign-in, refresh, sign-out, and who am I.

use actix_web::{HttpRequest, HttpResponse, get, post, web};
use sea_orm::ActiveEnum;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::credentials;
use crate::auth::{Issued, granted_to};
use crate::db::TenantDb;
use crate::http::{
    Body, Caller, Dealer, Leaver, Problem, ProblemOut, RefreshIn, RequestId, SignInIn, TokensOut,
};
use crate::state::AppState;

/// The routes of this domain.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(sign_in)
        .service(refresh)
        .service(sign_out)
        .service(me);
}

/// Who is asking, and with which dealer.
#[derive(Serialize, ToSchema)]
struct MeOut {
    id: Uuid,
    email: String,
    name: String,
    /// Built-in role, such as `owner`.
    role: String,
    /// What the role allows.
    permissions: &'static [&'static str],
    dealer: DealerOut,
}

/// A dealer.
#[derive(Serialize, ToSchema)]
struct DealerOut {
    id: Uuid,
    slug: String,
    name: String,
}

/// Sign in
///
/// Whether the address is unknown or the password wrong is not told. After too many failed
/// attempts the address must wait.
#[utoipa::path(tag = "auth", operation_id = "sign_in", request_body = SignInIn, responses(
    (status = 200, body = TokensOut),
    (status = 401, body = ProblemOut, content_type = "application/problem+json"),
    (status = 429, body = ProblemOut, content_type = "application/problem+json"),
))]
#[post("/auth/sign-in")]
async fn sign_in(
    req: HttpRequest,
    dealer: Dealer,
    body: Body<SignInIn>,
) -> Result<web::Json<TokensOut>, Problem> {
    let state = AppState::of(&req);
    let issued =
        credentials::sign_in(state, &dealer.db, body.0.proof(&req), state.clock.now()).await?;
    Ok(web::Json(tokens(state, &dealer.db, issued)?))
}

/// Replace the tokens
///
/// A refresh token works once. One that is used a second time ends its whole session: somebody
/// has a copy of it.
#[utoipa::path(tag = "auth", operation_id = "refresh", request_body = RefreshIn, responses(
    (status = 200, body = TokensOut),
    (status = 401, body = ProblemOut, content_type = "application/problem+json"),
))]
#[post("/auth/refresh")]
async fn refresh(
    req: HttpRequest,
    dealer: Dealer,
    body: Body<RefreshIn>,
) -> Result<web::Json<TokensOut>, Problem> {
    let state = AppState::of(&req);
    let token = body.0.token();
    let (request_id, now) = (request_id(&req), state.clock.now());
    let issued = credentials::refresh(state, &dealer.db, &token, request_id, now).await?;
    Ok(web::Json(tokens(state, &dealer.db, issued)?))
}

/// Sign out
///
/// Ends the session of the access token, and with it every refresh token of the session.
#[utoipa::path(tag = "auth", operation_id = "sign_out", security(("bearer" = [])), responses(
    (status = 204),
    (status = 401, body = ProblemOut, content_type = "application/problem+json"),
))]
#[post("/auth/sign-out")]
async fn sign_out(req: HttpRequest, Leaver(caller): Leaver) -> Result<HttpResponse, Problem> {
    let state = AppState::of(&req);
    state
        .sessions
        .end(&caller.db, caller.session_id, state.clock.now())
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Who am I?
#[utoipa::path(tag = "auth", operation_id = "me", security(("bearer" = [])), responses(
    (status = 200, body = MeOut),
    (status = 401, body = ProblemOut, content_type = "application/problem+json"),
))]
#[get("/me")]
async fn me(caller: Caller) -> web::Json<MeOut> {
    let tenant = caller.db.tenant();
    web::Json(MeOut {
        id: caller.member.id,
        email: caller.member.email,
        name: caller.member.name,
        role: caller.member.role.to_value(),
        permissions: granted_to(caller.member.role),
        dealer: DealerOut {
            id: tenant.key().id(),
            slug: tenant.slug().to_owned(),
            name: tenant.name().to_owned(),
        },
    })
}

fn request_id(req: &HttpRequest) -> Option<String> {
    RequestId::of(req).map(|id| id.to_string())
}

fn tokens(state: &AppState, db: &TenantDb, issued: Issued) -> Result<TokensOut, Problem> {
    let (tenant, member) = (db.tenant().key(), &issued.member);
    let version = member.token_version;
    let now = state.clock.now();
    let access_token = state
        .tokens
        .issue(tenant, member.id, issued.session_id, version, now)?;
    let life_seconds = state.tokens.life_seconds();
    Ok(TokensOut::new(
        access_token,
        life_seconds,
        issued.refresh_token,
    ))
}
