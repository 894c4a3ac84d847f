//! The signed-in operator: token, session and permission, in that order. The host was looked at
//! before (see `door`).

use std::marker::PhantomData;

use ::entity::platform::operator;
use actix_web::{FromRequest, HttpRequest, dev::Payload, web};
use futures_util::future::{LocalBoxFuture, ready};
use provisioner::Provisioner;
use provisioner::operators::Role;
use time::OffsetDateTime;
use uuid::Uuid;

use super::permission::granted_to;
use super::{Dealers, Platform};
use crate::auth::{AuthError, Claims, OfPlatform, Permission};
use crate::http::limits::{self, Subject};
use crate::http::{Code, OWN, Probe, Problem, bearer, opened};
use crate::state::AppState;

/// Somebody who has signed in as an operator, whatever they may do.
#[derive(Debug)]
pub(super) struct SignedIn {
    pub(super) operator: operator::Model,
    pub(super) session_id: Uuid,
    claims: Claims<OfPlatform>,
    pub(super) platform: web::Data<Platform>,
}

/// A signed-in operator who holds permission `P`, and the door to the platform.
#[derive(Debug)]
pub(super) struct Operator<P> {
    id: Uuid,
    role: Role,
    claims: Claims<OfPlatform>,
    platform: web::Data<Platform>,
    held: PhantomData<P>,
}

impl<P> Operator<P> {
    /// Refuses them unless they hold another permission, too.
    ///
    /// # Errors
    ///
    /// `permission-denied`.
    pub(super) fn require(&self, permission: &'static str) -> Result<(), Problem> {
        if granted_to(self.role).contains(&permission) {
            Ok(())
        } else {
            Err(Problem::permission_denied(permission))
        }
    }

    /// Who they are.
    pub(super) fn id(&self) -> Uuid {
        self.id
    }

    /// What serves them.
    pub(super) fn platform(&self) -> &web::Data<Platform> {
        &self.platform
    }

    /// Whether they are still who they were when they asked: for answers that take long.
    pub(super) async fn is_still_signed_in(&self, now: OffsetDateTime) -> bool {
        let rows = &self.platform.db.rows;
        let session = self.platform.sessions.check(rows, &self.claims, now).await;
        // A database that is away says nothing about them.
        !matches!(session, Err(AuthError::InvalidToken))
    }

    /// Lets the provisioner work; it is told who asks, as that will stand in the history.
    pub(super) async fn ask<T, F>(&self, work: impl FnOnce(Provisioner<Dealers>, String) -> F) -> T
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        // The id, not the address: histories hold no personal data.
        let actor = format!("operator/{}", self.id);
        self.platform
            .db
            .ask(|provisioner| work(provisioner, actor))
            .await
    }
}

impl FromRequest for SignedIn {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        if let Some(refusal) = Probe::hears(req, OWN) {
            return Box::pin(ready(Err(refusal)));
        }
        let req = req.clone();
        Box::pin(async move {
            let who = signed_in(&req).await?;
            opened(&req, OWN);
            Ok(who)
        })
    }
}

impl<P: Permission> FromRequest for Operator<P> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        if let Some(refusal) = Probe::hears(req, P::NAME) {
            return Box::pin(ready(Err(refusal)));
        }
        let req = req.clone();
        Box::pin(async move {
            let who = signed_in(&req).await?;
            if !granted_to(who.operator.role).contains(&P::NAME) {
                return Err(Problem::permission_denied(P::NAME));
            }
            opened(&req, P::NAME);
            Ok(Self {
                id: who.operator.id,
                role: who.operator.role,
                claims: who.claims,
                platform: who.platform,
                held: PhantomData,
            })
        })
    }
}

async fn signed_in(req: &HttpRequest) -> Result<SignedIn, Problem> {
    let platform = Platform::behind(req).ok_or_else(|| Problem::new(Code::NotFound))?;
    let now = AppState::of(req).clock.now();
    let token = bearer(req).ok_or_else(|| Problem::new(Code::Unauthenticated))?;
    let claims = platform.tokens.read(token, now).await?;
    let session = platform
        .sessions
        .check(&platform.db.rows, &claims, now)
        .await?;
    limits::admit(req, Subject::Operator(session.operator.id)).await?;
    Ok(SignedIn {
        operator: session.operator,
        session_id: session.id,
        claims,
        platform: platform.clone(),
    })
}
