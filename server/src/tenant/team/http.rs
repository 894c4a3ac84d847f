//! Sign-in, refresh, sign-out, and who am I.

use actix_web::{HttpRequest, HttpResponse, get, post, web};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::{TeamError, account, credentials, invitations, members, switch};
use crate::audit::Change;
use crate::auth::{AuthError, Unfit, end_session};
use crate::http::{
    Answer, Body, Caller, Code, Dealer, Done, Leaver, Problem, ProblemOut, RefreshIn, SignInIn,
    TokensOut, refresh_cookie,
};
use crate::state::AppState;
use crate::tenant::second_factor::ChallengeOut;

/// The routes of this domain.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(sign_in)
        .service(refresh)
        .service(sign_out)
        .service(me);
    members::http::routes(cfg);
    invitations::http::routes(cfg);
    account::http::routes(cfg);
    switch::http::routes(cfg);
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
/// attempts the address must wait. With `"client": "browser"` both tokens are put into cookies, and
/// the answer holds a `csrf_token` in their place. Whoever has a second factor is asked for it
/// before there are tokens.
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
/// has a copy of it; but a client whose answer got lost may send it again for some seconds, and gets
/// the same tokens. A browser that keeps its tokens in cookies sends `X-CSRF-Token` and no token.
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
    credentials::refresh(&req, &dealer, body.0.token()).await
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
            Ok::<_, AuthError>(Done::new(record, signed_out(&req)))
        })
        .await;
    state.access.forget(&caller.db);
    answered
}

fn signed_out(req: &HttpRequest) -> Answer {
    match refresh_cookie(req) {
        Some(_) => Answer::no_content().forgetting_tokens(),
        None => Answer::no_content(),
    }
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

impl From<TeamError> for Problem {
    fn from(error: TeamError) -> Self {
        let code = match error {
            TeamError::UnknownRole => return Self::field("/role_id", "unknown", error),
            TeamError::UnknownBranch => return Self::field("/branch_id", "unknown", error),
            TeamError::NoEmail(pointer, _) => return Self::field(pointer, "shape", error),
            TeamError::Unfit(_, Unfit::Auth(error)) => return error.into(),
            TeamError::Unfit(pointer, Unfit::Length(_)) => {
                return Self::field(pointer, "length", error);
            }
            TeamError::Unfit(pointer, Unfit::Weak(_)) => {
                return Self::field(pointer, "weak", error);
            }
            TeamError::Changed(_) => Code::PreconditionFailed,
            TeamError::MemberNotFound => Code::MemberNotFound,
            TeamError::InvitationNotFound => Code::InvitationNotFound,
            TeamError::EmailTaken => Code::EmailTaken,
            TeamError::AlreadyInvited => Code::AlreadyInvited,
            TeamError::LastOwner => Code::LastOwner,
            TeamError::OwnersOnly => Code::OwnersOnly,
            TeamError::GrantsTooMuch => Code::GrantsTooMuch,
            TeamError::OutOfReach => Code::PermissionDenied,
            TeamError::TokenInvalid => Code::LinkInvalid,
            TeamError::WrongPassword => Code::CredentialsWrong,
            TeamError::NotThere => Code::MembershipNotFound,
            TeamError::SwitchRefused(_) => Code::SwitchRefused,
            TeamError::Auth(error) => return error.into(),
            TeamError::Cursor(error) => return error.into(),
            TeamError::Db(error) => return Self::database(&error),
        };
        Self::new(code).detail(error)
    }
}
