//! Sign-in, refresh, sign-out, and who am I.

use actix_web::{HttpRequest, HttpResponse, get, post, web};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::credentials;
use crate::audit::Change;
use crate::auth::{AuthError, end_session};
use crate::http::{
    Answer, Body, Caller, Dealer, Done, Leaver, Problem, ProblemOut, RefreshIn, SignInIn, TokensOut,
};
use crate::state::AppState;
use crate::tenant::second_factor::ChallengeOut;

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
    permissions: Vec<&'static str>,
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
/// attempts the address must wait. Whoever has a second factor is asked for it before there are
/// tokens.
#[utoipa::path(tag = "auth", operation_id = "sign_in", request_body = SignInIn, responses(
    (status = 200, body = TokensOut),
    (status = 202, body = ChallengeOut, description = "The second factor is asked for"),
    (status = 401, body = ProblemOut, content_type = "application/problem+json"),
    (status = 429, body = ProblemOut, content_type = "application/problem+json"),
))]
#[post("/auth/sign-in")]
async fn sign_in(
    req: HttpRequest,
    dealer: Dealer,
    body: Body<SignInIn>,
) -> Result<HttpResponse, Problem> {
    let proof = body.0.proof(&req);
    credentials::sign_in(&req, &dealer, proof).await
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
) -> Result<HttpResponse, Problem> {
    credentials::refresh(&req, &dealer, &body.0.token()).await
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
    let (id, now) = (caller.session_id()?, state.clock.now());
    let answered = caller
        .gate
        .write(async |tx| {
            end_session(tx, id, "signed_out", now).await?;
            let record = Change::new("session.end", "session", id);
            Ok::<_, AuthError>(Done::new(record, Answer::no_content()))
        })
        .await;
    state.access.forget(&caller.db, id);
    answered
}

/// Who am I?
#[utoipa::path(tag = "auth", operation_id = "me", security(("bearer" = [])), responses(
    (status = 200, body = MeOut),
    (status = 401, body = ProblemOut, content_type = "application/problem+json"),
))]
#[get("/me")]
async fn me(caller: Caller) -> web::Json<MeOut> {
    let (tenant, principal) = (caller.db.tenant(), &caller.principal);
    let person = &principal.person;
    web::Json(MeOut {
        id: person.id,
        email: person.email.clone(),
        name: person.name.clone(),
        role: person.role.clone(),
        permissions: principal.grants.iter().map(|(name, _)| name).collect(),
        dealer: DealerOut {
            id: tenant.key().id(),
            slug: tenant.slug().to_owned(),
            name: tenant.name().to_owned(),
        },
    })
}
