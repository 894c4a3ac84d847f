//! Operators sign in, stay signed in, sign out, and ask who they are.

use ::entity::platform::operator;
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use sea_orm::{ActiveEnum, ColumnTrait, EntityTrait, QueryFilter};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::Platform;
use super::operator::SignedIn;
use super::permission::granted_to;
use super::sessions::Issued;
use crate::auth::{AuthError, Holder, OfPlatform, prove};
use crate::db::SecurityEvent;
use crate::http::{
    Anybody, Body, Code, Problem, ProblemOut, RefreshIn, RequestId, SignInIn, TokensOut,
};
use crate::state::AppState;

/// The routes of signing in.
pub(super) fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(sign_in)
        .service(refresh)
        .service(sign_out)
        .service(me);
}

/// Who is asking.
#[derive(Serialize, ToSchema)]
struct OperatorOut {
    id: Uuid,
    email: String,
    name: String,
    /// `viewer`, `support` or `admin`.
    #[schema(example = "support")]
    role: String,
    /// What the role allows.
    permissions: &'static [&'static str],
}

/// Sign in as an operator
///
/// Whether the address is unknown or the password wrong is not told. After too many failed
/// attempts the address must wait.
#[utoipa::path(tag = "platform", operation_id = "sign_in_operator", request_body = SignInIn, responses(
    (status = 200, body = TokensOut),
    (status = 401, body = ProblemOut, content_type = "application/problem+json"),
    (status = 429, body = ProblemOut, content_type = "application/problem+json"),
))]
#[post("/auth/sign-in")]
async fn sign_in(
    _: Anybody,
    req: HttpRequest,
    body: Body<SignInIn>,
) -> Result<web::Json<TokensOut>, Problem> {
    let (state, platform) = (AppState::of(&req), behind(&req)?);
    let (proof, now) = (body.0.proof(&req), state.clock.now());
    // Beside the dealers' keys, which begin with `t:`.
    let attempts_key = format!("platform:{}", proof.attempts_key());
    let keepers = (&state.attempts, &state.passwords);
    let operator = prove(keepers, &attempts_key, &proof, async |email| {
        find(platform, email).await
    })
    .await
    .inspect_err(|error| match error {
        AuthError::TooManyAttempts(_) => record(&req, "operator_sign_in_blocked", None),
        AuthError::WrongCredentials => record(&req, "operator_sign_in_failed", None),
        _ => {}
    })?;
    let agent = proof.visitor.user_agent.as_deref();
    let begun = platform
        .db
        .rows
        .write(async |tx| platform.sessions.begin(tx, &operator, agent, now).await);
    let issued = begun.await?;
    record(&req, "operator_signed_in", Some(operator.id));
    tokens(&req, platform, issued)
}

/// Replace the tokens
///
/// A refresh token works once. One that is used a second time ends its whole session: somebody
/// has a copy of it. A session ends some days after the sign-in, however often it was refreshed.
#[utoipa::path(tag = "platform", operation_id = "refresh_operator", request_body = RefreshIn, responses(
    (status = 200, body = TokensOut),
    (status = 401, body = ProblemOut, content_type = "application/problem+json"),
))]
#[post("/auth/refresh")]
async fn refresh(
    _: Anybody,
    req: HttpRequest,
    body: Body<RefreshIn>,
) -> Result<web::Json<TokensOut>, Problem> {
    let (state, platform) = (AppState::of(&req), behind(&req)?);
    let token = body.0.token().ok_or(AuthError::InvalidRefreshToken)?;
    let now = state.clock.now();
    let replaced = platform
        .db
        .rows
        .write(async |tx| platform.sessions.refresh(tx, &token, now).await);
    match replaced.await? {
        Ok(issued) => tokens(&req, platform, issued),
        Err(ended) => {
            platform.sessions.forget(ended);
            record(&req, "operator_refresh_token_reused", None);
            Err(AuthError::InvalidRefreshToken.into())
        }
    }
}

/// Sign out
///
/// Ends the session of the access token, and with it every refresh token of the session.
#[utoipa::path(tag = "platform", operation_id = "sign_out_operator", security(("bearer" = [])), responses(
    (status = 204),
    (status = 401, body = ProblemOut, content_type = "application/problem+json"),
))]
#[post("/auth/sign-out")]
async fn sign_out(req: HttpRequest, who: SignedIn) -> Result<HttpResponse, Problem> {
    let now = AppState::of(&req).clock.now();
    let sessions = &who.platform.sessions;
    sessions
        .end(&who.platform.db.rows, who.session_id, now)
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Who am I?
#[utoipa::path(tag = "platform", operation_id = "me_operator", security(("bearer" = [])), responses(
    (status = 200, body = OperatorOut),
    (status = 401, body = ProblemOut, content_type = "application/problem+json"),
))]
#[get("/me")]
async fn me(who: SignedIn) -> web::Json<OperatorOut> {
    let operator = who.operator;
    web::Json(OperatorOut {
        id: operator.id,
        email: operator.email,
        name: operator.name,
        role: operator.role.to_value(),
        permissions: granted_to(operator.role),
    })
}

/// Who may sign in with an address, and with which hash.
async fn find(
    platform: &Platform,
    email: &str,
) -> Result<Option<(operator::Model, Option<String>)>, AuthError> {
    let found = platform.db.rows.read(async |tx| {
        let by_email = operator::Column::Email.eq(email);
        Ok::<_, AuthError>(operator::Entity::find().filter(by_email).one(tx).await?)
    });
    let active = |one: &operator::Model| one.status == operator::Status::Active;
    Ok(found.await?.filter(active).map(|operator| {
        let hash = Some(operator.password_hash.clone());
        (operator, hash)
    }))
}

fn tokens(
    req: &HttpRequest,
    platform: &Platform,
    issued: Issued,
) -> Result<web::Json<TokensOut>, Problem> {
    let now = AppState::of(req).clock.now();
    let holder = Holder {
        person: issued.operator.id,
        session: issued.session_id,
        token_version: issued.operator.token_version,
        until: issued.until,
    };
    let access = platform.tokens.issue(OfPlatform {}, &holder, now)?;
    Ok(web::Json(TokensOut::new(access, issued.refresh_token)))
}

fn behind(req: &HttpRequest) -> Result<&Platform, Problem> {
    let platform = Platform::behind(req).ok_or_else(|| Problem::new(Code::NotFound))?;
    Ok(platform)
}

fn record(req: &HttpRequest, kind: &'static str, operator: Option<Uuid>) {
    AppState::of(req).security.record(SecurityEvent {
        tenant: None,
        kind,
        detail: json!({ "operator": operator }),
        request_id: RequestId::of(req).map(|id| id.to_string()),
    });
}
