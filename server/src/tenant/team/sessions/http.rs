//! `/me/sessions`, `/members/{id}/sessions`, and the end of all of them.

use ::entity::tenant::session::Model;
use actix_web::{HttpRequest, HttpResponse, delete, get, post, web};
use serde::{Deserialize, Serialize};
use serde_json::json;
use time::OffsetDateTime;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;
use validator::Validate;

use super::error::SessionError;
use super::service;
use crate::audit::Change;
use crate::auth::{ManageSecurity, ManageSessions, end_all_sessions};
use crate::http::{
    Answer, Body, Caller, Code, Done, Fields, Listing, Member, PageOut, PageQuery, Problem,
    ProblemOut, csrf_token,
};
use crate::state::AppState;

/// The routes of sessions.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_own)
        .service(end_own)
        .service(end_others)
        .service(list_of_member)
        .service(end_of_member)
        .service(void_all)
        .service(csrf);
}

/// One place where somebody is signed in.
#[derive(Serialize, ToSchema)]
struct SessionOut {
    id: Uuid,
    /// What the client calls itself.
    #[schema(required)]
    user_agent: Option<String>,
    /// Where it was begun from.
    #[schema(required)]
    address: Option<String>,
    /// How it began: `password`, `sso`, `message` (an invitation or a reset) or `switch`.
    #[schema(example = "password")]
    method: String,
    /// How the client keeps its tokens: `bearer` or `browser`.
    #[schema(example = "browser")]
    client: String,
    /// Whether it is the one that asks.
    is_current: bool,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    /// When it was begun or last carried on, which is every few minutes while it is used.
    #[serde(with = "time::serde::rfc3339")]
    last_seen_at: OffsetDateTime,
    /// When it ends unless it is carried on.
    #[serde(with = "time::serde::rfc3339")]
    expires_at: OffsetDateTime,
    /// When it ends however often it is carried on.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required)]
    ends_at: Option<OffsetDateTime>,
}

/// How many there were.
#[derive(Serialize, ToSchema)]
struct EndedOut {
    ended: u64,
}

/// Says that it is meant.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct VoidIn {
    /// The dealer's slug.
    #[validate(length(min = 1, max = 63))]
    #[schema(example = "acme")]
    confirm: String,
}

/// For changes by cookie.
#[derive(Serialize, ToSchema)]
struct CsrfOut {
    /// For the header `X-CSRF-Token`; good as long as the session.
    csrf_token: String,
}

/// List my sessions
#[utoipa::path(tag = "sessions", operation_id = "list_my_sessions", params(PageQuery),
    security(("bearer" = [])), responses(
    (status = 200, body = PageOut<SessionOut>),
    (status = 401, body = ProblemOut, content_type = "application/problem+json"),
))]
#[get("/me/sessions")]
async fn list_own(
    req: HttpRequest,
    who: Caller,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let (list, now) = (Listing::of(&req), AppState::of(&req).clock.now());
    let (limit, cursor) = (page.limit()?, list.open(page.cursor.as_deref())?);
    let fields = Fields::parse::<SessionOut>(page.fields.as_deref())?;
    let (me, current) = (who.principal.person.id, who.session_id()?);
    let page = who
        .db
        .read(async |tx| service::list(tx, me, (limit, cursor.clone()), now).await)
        .await?;
    let page = page.map(|session| SessionOut::of(session, Some(current)));
    list.answer::<SessionOut>(page, &fields)
}

/// End one of my sessions
#[utoipa::path(tag = "sessions", operation_id = "end_my_session", params(("id" = Uuid, Path)),
    security(("bearer" = [])), responses(
    (status = 204),
    (status = 404, body = ProblemOut, content_type = "application/problem+json"),
))]
#[delete("/me/sessions/{id}")]
async fn end_own(
    req: HttpRequest,
    who: Caller,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let state = AppState::of(&req);
    let (me, now) = (who.principal.person.id, state.clock.now());
    who.session_id()?;
    let answered = who
        .gate
        .write(async |tx| {
            service::end_one(tx, me, *id, now).await?;
            let record = Change::new("session.end", "session", *id);
            Ok::<_, SessionError>(Done::new(record, Answer::no_content()))
        })
        .await;
    state.access.forget(&who.db);
    answered
}

/// End all of my sessions but this one
#[utoipa::path(tag = "sessions", operation_id = "end_my_other_sessions", security(("bearer" = [])), responses(
    (status = 200, body = EndedOut),
    (status = 401, body = ProblemOut, content_type = "application/problem+json"),
))]
#[post("/me/sessions/end-others")]
async fn end_others(req: HttpRequest, who: Caller) -> Result<HttpResponse, Problem> {
    let state = AppState::of(&req);
    let (me, now) = (who.principal.person.id, state.clock.now());
    let current = who.session_id()?;
    let answered = who
        .gate
        .write(async |tx| {
            let ended = end_all_sessions(tx, me, Some(current), "revoked", now).await?;
            let record =
                Change::new("session.end_others", "member", me).after(&json!({ "ended": ended }));
            Ok::<_, SessionError>(Done::new(record, Answer::ok(&EndedOut { ended })))
        })
        .await;
    state.access.forget(&who.db);
    answered
}

/// List a member's sessions
#[utoipa::path(tag = "sessions", operation_id = "list_member_sessions",
    params(("id" = Uuid, Path), PageQuery), security(("bearer" = [])), responses(
    (status = 200, body = PageOut<SessionOut>),
    (status = 404, body = ProblemOut, content_type = "application/problem+json"),
))]
#[get("/members/{id}/sessions")]
async fn list_of_member(
    req: HttpRequest,
    who: Member<ManageSessions>,
    id: web::Path<Uuid>,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let (list, now) = (Listing::of(&req), AppState::of(&req).clock.now());
    let (limit, cursor) = (page.limit()?, list.open(page.cursor.as_deref())?);
    let fields = Fields::parse::<SessionOut>(page.fields.as_deref())?;
    let page = who
        .db
        .read(async |tx| {
            service::in_reach(tx, who.person(), who.scope, *id).await?;
            service::list(tx, *id, (limit, cursor.clone()), now).await
        })
        .await?;
    let current = who.principal.session().map(|session| session.id);
    let page = page.map(|session| SessionOut::of(session, current));
    list.answer::<SessionOut>(page, &fields)
}

/// End all sessions of a member
///
/// They may sign in again. Deactivate a member to keep them out.
#[utoipa::path(tag = "sessions", operation_id = "end_member_sessions", params(("id" = Uuid, Path)),
    security(("bearer" = [])), responses(
    (status = 200, body = EndedOut),
    (status = 404, body = ProblemOut, content_type = "application/problem+json"),
))]
#[delete("/members/{id}/sessions")]
async fn end_of_member(
    req: HttpRequest,
    who: Member<ManageSessions>,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let state = AppState::of(&req);
    let now = state.clock.now();
    let answered = who
        .write(async |tx| {
            service::in_reach(tx, who.person(), who.scope, *id).await?;
            let ended = end_all_sessions(tx, *id, None, "revoked_by_admin", now).await?;
            let record =
                Change::new("session.end_all", "member", *id).after(&json!({ "ended": ended }));
            Ok::<_, SessionError>(Done::new(record, Answer::ok(&EndedOut { ended })))
        })
        .await;
    state.access.forget(&who.db);
    answered
}

/// Void all tokens
///
/// Ends every session of the dealer, this one included: everybody signs in again. API keys stay.
#[utoipa::path(tag = "sessions", operation_id = "void_all_tokens", request_body = VoidIn,
    security(("bearer" = [])), responses(
    (status = 200, body = EndedOut),
    (status = 422, body = ProblemOut, content_type = "application/problem+json"),
))]
#[post("/security/void-all-tokens")]
async fn void_all(
    req: HttpRequest,
    who: Member<ManageSecurity>,
    body: Body<VoidIn>,
) -> Result<HttpResponse, Problem> {
    let state = AppState::of(&req);
    let (tenant, now) = (who.db.tenant(), state.clock.now());
    service::confirmed(&body.0.confirm, tenant.slug())?;
    let answered = who
        .write(async |tx| {
            let ended = service::void_all(tx, now).await?;
            let record = Change::new("token.void_all", "dealer", tenant.key())
                .after(&json!({ "ended": ended }));
            Ok::<_, SessionError>(Done::new(record, Answer::ok(&EndedOut { ended })))
        })
        .await;
    state.access.forget(&who.db);
    answered
}

/// What changes by cookie must carry
#[utoipa::path(tag = "auth", operation_id = "csrf_token", security(("bearer" = [])), responses(
    (status = 200, body = CsrfOut),
    (status = 401, body = ProblemOut, content_type = "application/problem+json"),
))]
#[get("/auth/csrf")]
async fn csrf(req: HttpRequest, who: Caller) -> Result<web::Json<CsrfOut>, Problem> {
    let sealer = &AppState::of(&req).sealer;
    let csrf_token = csrf_token(sealer, who.db.tenant().key(), who.session_id()?);
    Ok(web::Json(CsrfOut { csrf_token }))
}

impl SessionOut {
    fn of(session: Model, current: Option<Uuid>) -> Self {
        Self {
            is_current: current == Some(session.id),
            id: session.id,
            user_agent: session.user_agent,
            address: session.address,
            method: session.method,
            client: session.client,
            created_at: session.created_at,
            last_seen_at: session.last_used_at,
            expires_at: session.expires_at,
            ends_at: session.ends_at,
        }
    }
}

impl From<SessionError> for Problem {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::NotFound => Self::new(Code::SessionNotFound),
            SessionError::MemberNotFound => Self::new(Code::MemberNotFound),
            SessionError::NotConfirmed => Self::field("/confirm", "mismatch", error),
            SessionError::Cursor(error) => error.into(),
            SessionError::Auth(error) => error.into(),
            SessionError::Db(error) => Self::database(&error),
        }
    }
}
