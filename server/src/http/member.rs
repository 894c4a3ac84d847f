//! Whoever has proven who they are: host, token or key, and permission, in that order.

use std::marker::PhantomData;
use std::sync::Arc;

use actix_web::http::header::AUTHORIZATION;
use actix_web::{FromRequest, HttpRequest, HttpResponse, dev::Payload};
use futures_util::future::{LocalBoxFuture, ready};
use time::Duration;
use uuid::Uuid;

use super::answer::Done;
use super::browser::{access_cookie, must_be_own_page};
use super::client::client_address;
use super::code::Code;
use super::finishing::to_its_end;
use super::gate::Gate;
use super::limits::{self, Subject};
use super::opened::{OWN, Probe, opened};
use super::problem::Problem;
use super::resolve::{purpose, refuse_mismatch, resolve};
use crate::auth::{
    ApiKeyText, AuthError, Claims, Means, OfTenant, Permission, Person, Principal, Scope, SentKey,
    Shown,
};
use crate::db::{Purpose, Tenant, TenantDb, TenantTx};
use crate::state::AppState;

/// Somebody who has proven who they are to this dealer, whatever they may do.
#[derive(Debug)]
pub struct Caller {
    /// Who it is.
    pub principal: Arc<Principal>,
    /// Opens the dealer's rows for reading.
    pub db: TenantDb,
    /// Opens them for writing.
    pub gate: Gate,
    shown: Shown,
}

/// Somebody who holds permission `P`, and the door to their dealer's data.
#[derive(Debug)]
pub struct Member<P> {
    /// Who it is.
    pub principal: Arc<Principal>,
    /// How far `P` reaches for them.
    pub scope: Scope,
    /// Opens the dealer's rows for reading.
    pub db: TenantDb,
    /// What they showed, for whoever serves them for longer than a moment.
    pub shown: Shown,
    gate: Gate,
    held: PhantomData<P>,
}

/// Somebody who has signed in and is about to end that: they may, wherever they may read.
#[derive(Debug)]
pub struct Leaver(pub Caller);

impl<P> Member<P> {
    /// The person, or whoever made the key.
    pub fn person(&self) -> &Person {
        &self.principal.person
    }

    /// Runs a use case that writes; see [`Gate::write`].
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn write<E>(
        &self,
        work: impl AsyncFn(&TenantTx) -> Result<Done, E>,
    ) -> Result<HttpResponse, Problem>
    where
        Problem: From<E>,
    {
        self.gate.write(work).await
    }

    /// The gate itself, for work that holds its own transaction.
    pub fn gate(&self) -> &Gate {
        &self.gate
    }
}

impl FromRequest for Caller {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        if let Some(refusal) = Probe::hears(req, OWN) {
            return Box::pin(ready(Err(refusal)));
        }
        let req = req.clone();
        Box::pin(async move {
            let caller = caller(&req, purpose(&req, Purpose::Work)).await?;
            if !opens_before_enrolment(req.path()) {
                must_have_enrolled(&caller.principal)?;
            }
            opened(&req, OWN);
            Ok(caller)
        })
    }
}

impl FromRequest for Leaver {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        if let Some(refusal) = Probe::hears(req, OWN) {
            return Box::pin(ready(Err(refusal)));
        }
        let req = req.clone();
        Box::pin(async move {
            let caller = caller(&req, Purpose::Session).await?;
            opened(&req, OWN);
            Ok(Self(caller))
        })
    }
}

impl<P: Permission> FromRequest for Member<P> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        if let Some(refusal) = Probe::hears(req, P::NAME) {
            return Box::pin(ready(Err(refusal)));
        }
        let req = req.clone();
        Box::pin(async move {
            let caller = caller(&req, purpose(&req, Purpose::Work)).await?;
            let Some(scope) = caller.principal.grants.scope_of(P::NAME) else {
                return Err(Problem::permission_denied(P::NAME));
            };
            must_have_enrolled(&caller.principal)?;
            if P::NEEDS_PROOF {
                must_have_proven(&req, &caller.principal)?;
            }
            opened(&req, P::NAME);
            Ok(Self {
                principal: caller.principal,
                scope,
                db: caller.db,
                shown: caller.shown,
                gate: caller.gate,
                held: PhantomData,
            })
        })
    }
}

/// A role that asks for a second factor opens nothing before its holder has one.
fn must_have_enrolled(principal: &Principal) -> Result<(), Problem> {
    match principal.session() {
        Some(session) if session.must_enrol => Err(Problem::new(Code::SecondFactorMissing)),
        _ => Ok(()),
    }
}

/// What somebody needs who is to get themselves a second factor, and no more.
fn opens_before_enrolment(path: &str) -> bool {
    let Some(path) = path.strip_prefix("/api/v1") else {
        return false;
    };
    path == "/me"
        || ["/me/second-factor", "/auth/step-up"]
            .iter()
            .any(|root| path.starts_with(root))
}

/// What is sensitive is for people who proved who they are a moment ago. A machine has no moment:
/// its key was made by somebody who had.
fn must_have_proven(req: &HttpRequest, principal: &Principal) -> Result<(), Problem> {
    let state = AppState::of(req);
    let fresh = Duration::minutes(state.config.auth.proof_minutes.into());
    match principal.session() {
        Some(session) if state.clock.now() - session.proven_at > fresh => {
            Err(Problem::new(Code::ProofRequired))
        }
        _ => Ok(()),
    }
}

async fn caller(req: &HttpRequest, purpose: Purpose) -> Result<Caller, Problem> {
    to_its_end(identified(req.clone(), purpose)).await
}

async fn identified(req: HttpRequest, purpose: Purpose) -> Result<Caller, Problem> {
    let req = &req;
    let state = AppState::of(req);
    let tenant = resolve(req).await?;
    // A token that was forged or is another dealer's is refused before the dealer's rows are
    // opened, and so is a request that another's page made with our cookies.
    let shown = shown(req, &tenant).await?;
    let db = state.directory.enter_for(purpose, &tenant)?;
    let now = state.clock.now();
    let principal = shown.holder(&state.access, &db, now).await?;
    limits::admit(req, subject(&tenant, &principal)).await?;
    if let Means::ApiKey(key) = &principal.means {
        let address = client_address(req);
        state.key_trail.used(tenant.key(), key.id, address, now);
    }
    let gate = Gate::new(req, db.clone(), principal.actor());
    Ok(Caller {
        principal,
        db,
        gate,
        shown,
    })
}

async fn shown(req: &HttpRequest, tenant: &Tenant) -> Result<Shown, Problem> {
    let credential = Credential::of(req).ok_or_else(|| Problem::new(Code::Unauthenticated))?;
    if let Some(key) = credential.key() {
        let sealer = &AppState::of(req).sealer;
        return Ok(Shown::Key(SentKey::new(&key, sealer, client_address(req))));
    }
    let claims = claims(req, tenant, credential.text()).await?;
    if let Credential::Cookie(_) = &credential {
        must_be_own_page(req, tenant.key(), claims.sid)?;
    }
    Ok(Shown::Token(claims))
}

/// What a request carries to say who asks.
enum Credential<'a> {
    /// A token or a key, in the header that scripts and machines send.
    Header(&'a str),
    /// A token that a browser sends by itself.
    Cookie(String),
}

impl<'a> Credential<'a> {
    /// The one that counts: a header is sent on purpose, so a cookie beside it says nothing.
    fn of(req: &'a HttpRequest) -> Option<Self> {
        if req.headers().contains_key(AUTHORIZATION) {
            return bearer(req).map(Self::Header);
        }
        access_cookie(req).map(Self::Cookie)
    }

    fn text(&self) -> &str {
        match self {
            Self::Header(text) => text,
            Self::Cookie(text) => text,
        }
    }

    /// Keys are for machines, which have no cookies.
    fn key(&self) -> Option<ApiKeyText> {
        match self {
            Self::Header(text) => ApiKeyText::parse(text),
            Self::Cookie(_) => None,
        }
    }
}

async fn claims(
    req: &HttpRequest,
    tenant: &Tenant,
    token: &str,
) -> Result<Claims<OfTenant>, Problem> {
    let state = AppState::of(req);
    let verified = state.tokens.verify(token, tenant.key(), state.clock.now());
    Ok(verified.await.inspect_err(|error| {
        if matches!(error, AuthError::OtherTenant) {
            refuse_mismatch(req, tenant, "token");
        }
    })?)
}

fn subject(tenant: &Tenant, principal: &Principal) -> Subject {
    let tenant = tenant.key();
    match &principal.means {
        Means::Session(_) => Subject::Member {
            tenant,
            member: principal.person.id,
        },
        Means::ApiKey(key) => Subject::ApiKey {
            tenant,
            key: key.id,
            per_minute: key.per_minute,
        },
    }
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

impl Caller {
    /// Their session.
    ///
    /// # Errors
    ///
    /// `permission-denied` for a machine: it has none.
    pub fn session_id(&self) -> Result<Uuid, Problem> {
        let session = self.principal.session().map(|session| session.id);
        session.ok_or_else(|| {
            Problem::new(Code::PermissionDenied).detail("this is for people, not for API keys")
        })
    }

    /// Insists on a proof of who they are, a moment ago.
    ///
    /// # Errors
    ///
    /// `proof-required`.
    pub fn must_have_proven(&self, req: &HttpRequest) -> Result<(), Problem> {
        must_have_proven(req, &self.principal)
    }

    /// Insists on a second factor as part of that proof.
    ///
    /// # Errors
    ///
    /// `proof-required`.
    pub fn must_have_used_second_factor(&self, req: &HttpRequest) -> Result<(), Problem> {
        let used_at = self.principal.session().and_then(|it| it.second_factor_at);
        let state = AppState::of(req);
        let fresh = Duration::minutes(state.config.auth.proof_minutes.into());
        match used_at {
            Some(at) if state.clock.now() - at <= fresh => Ok(()),
            _ => Err(Problem::new(Code::ProofRequired).detail("step up with a code")),
        }
    }
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
            AuthError::Unavailable => Self::new(Code::Unavailable).because(error),
            AuthError::Broken(cause) => Self::internal(cause),
            AuthError::Db(error) => Self::database(&error),
        }
    }
}
