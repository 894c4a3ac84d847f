//! The signed-in member: host, token, session and permission, in that order.

use std::marker::PhantomData;

use ::entity::tenant::member;
use actix_web::http::header::AUTHORIZATION;
use actix_web::{FromRequest, HttpRequest, dev::Payload};
use futures_util::future::LocalBoxFuture;
use uuid::Uuid;

use super::code::Code;
use super::problem::Problem;
use super::resolve::{purpose, refuse_mismatch, resolve};
use crate::auth::{AuthError, Permission, granted_to};
use crate::db::{Purpose, TenantDb};
use crate::state::AppState;

/// Somebody who has signed in with this dealer, whatever they may do.
#[derive(Debug)]
pub struct Caller {
    /// Who it is.
    pub member: member::Model,
    /// The session their token belongs to.
    pub session_id: Uuid,
    /// Opens the dealer's rows.
    pub db: TenantDb,
}

/// A signed-in team member who holds permission `P`, and the door to their dealer's data.
#[derive(Debug)]
pub struct Member<P> {
    /// Who it is.
    pub id: Uuid,
    /// Opens the dealer's rows.
    pub db: TenantDb,
    held: PhantomData<P>,
}

/// Somebody who has signed in and is about to end that: they may, wherever they may read.
#[derive(Debug)]
pub struct Leaver(pub Caller);

impl FromRequest for Caller {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let req = req.clone();
        Box::pin(async move { caller(&req, purpose(&req, Purpose::Work)).await })
    }
}

impl FromRequest for Leaver {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let req = req.clone();
        Box::pin(async move { caller(&req, Purpose::Session).await.map(Self) })
    }
}

impl<P: Permission> FromRequest for Member<P> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let req = req.clone();
        Box::pin(async move {
            let caller = caller(&req, purpose(&req, Purpose::Work)).await?;
            if !granted_to(caller.member.role).contains(&P::NAME) {
                return Err(Problem::permission_denied(P::NAME));
            }
            Ok(Self {
                id: caller.member.id,
                db: caller.db,
                held: PhantomData,
            })
        })
    }
}

async fn caller(req: &HttpRequest, purpose: Purpose) -> Result<Caller, Problem> {
    let state = AppState::of(req);
    let tenant = resolve(req).await?;
    let now = state.clock.now();
    let token = bearer(req).ok_or_else(|| Problem::new(Code::Unauthenticated))?;
    let claims = state
        .tokens
        .verify(token, tenant.key(), now)
        .inspect_err(|error| {
            if matches!(error, AuthError::OtherTenant) {
                refuse_mismatch(req, &tenant, "token");
            }
        })?;
    let db = state.directory.enter_for(purpose, &tenant)?;
    let session = state.sessions.check(&db, &claims, now).await?;
    Ok(Caller {
        member: session.member,
        session_id: session.id,
        db,
    })
}

/// The token that a request carries, if it carries one.
pub fn bearer(req: &HttpRequest) -> Option<&str> {
    let (scheme, token) = req
        .headers()
        .get(AUTHORIZATION)?
        .to_str()
        .ok()?
        .split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

impl From<AuthError> for Problem {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::WrongCredentials => Self::new(Code::CredentialsWrong),
            AuthError::InvalidToken => Self::new(Code::Unauthenticated),
            AuthError::OtherTenant => Self::new(Code::TenantMismatch),
            AuthError::InvalidRefreshToken => Self::new(Code::RefreshTokenInvalid),
            AuthError::TooManyAttempts(seconds) => {
                Self::new(Code::TooManyAttempts).retry_after(seconds)
            }
            AuthError::Broken(cause) => Self::internal(cause),
            AuthError::Db(error) => Self::database(&error),
        }
    }
}
