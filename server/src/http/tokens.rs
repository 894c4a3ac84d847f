//! Signing in on the wire: the same for members of dealers and for operators.

use actix_web::HttpRequest;
use actix_web::http::header::USER_AGENT;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::answer::Answer;
use super::browser::csrf_token;
use super::client::client_address;
use super::problem::Problem;
use super::request::RequestId;
use crate::auth::{AccessToken, Client, Holder, Issued, OfTenant, Proof, RefreshToken, Visitor};
use crate::db::TenantDb;
use crate::kernel::never_null;
use crate::state::AppState;

/// An address and a password.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignInIn {
    /// Case doesn't matter.
    #[validate(length(min = 1, max = 320))]
    #[schema(example = "owner@acme.example")]
    email: String,
    /// 10 to 128 characters.
    #[schema(value_type = String, format = Password)]
    password: SecretString,
    /// `browser` has both tokens put into cookies that scripts can't read, for pages at the
    /// dealer's own host; `bearer`, as when it is left out, answers with them.
    #[serde(default)]
    client: Client,
}

/// A refresh token.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefreshIn {
    /// As it was handed out; it works once. A browser that keeps it in a cookie leaves this out.
    #[validate(length(min = 1, max = 200))]
    #[serde(default, deserialize_with = "never_null")]
    #[schema(
        nullable = false,
        example = "AZrmP0bxddqWwJmTNwPmZL1r8jVsXq2oTn4eK7uYhQc"
    )]
    refresh_token: Option<String>,
}

/// What signs in. A browser that asked for cookies has both tokens there, and none here.
#[derive(Serialize, ToSchema)]
pub struct TokensOut {
    /// For the header `Authorization: Bearer …`; empty for a browser that has it in a cookie.
    access_token: String,
    /// `Bearer`, or `Cookie` for a browser that keeps its tokens in cookies.
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// Life of the access token, seconds.
    #[schema(example = 900)]
    expires_in: i64,
    /// For the next two tokens; it works once. Empty for a browser that has it in a cookie.
    refresh_token: String,
    /// For the header `X-CSRF-Token` of every request that changes something, with cookies.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    csrf_token: Option<String>,
}

impl SignInIn {
    /// The proof that a request offers.
    pub fn proof(self, req: &HttpRequest) -> Proof {
        let mut proof = Proof::new(&self.email, self.password);
        proof.visitor = visitor(req, self.client);
        proof.request_id = RequestId::of(req).map(|id| id.to_string());
        proof
    }
}

/// Where a request that begins a session comes from.
pub fn visitor(req: &HttpRequest, client: Client) -> Visitor {
    let agent = req.headers().get(USER_AGENT);
    Visitor {
        user_agent: agent
            .and_then(|agent| agent.to_str().ok())
            .map(ToOwned::to_owned),
        address: client_address(req).map(|address| address.to_string()),
        client,
    }
}

/// Answers with what a sign-in or a refresh hands out, the way its client keeps it.
///
/// # Errors
///
/// When the access token can't be signed.
pub fn handed_out(req: &HttpRequest, db: &TenantDb, issued: Issued) -> Result<Answer, Problem> {
    let state = AppState::of(req);
    let (tenant, now) = (db.tenant().key(), state.clock.now());
    let holder = Holder {
        person: issued.member.id,
        session: issued.session_id,
        token_version: issued.member.token_version,
        until: issued.until,
    };
    let of = OfTenant::at(tenant, issued.tenant_version);
    let access = state.tokens.issue(of, &holder, now)?;
    let answer = match issued.client {
        Client::Bearer => Answer::ok(&TokensOut::new(access, issued.refresh_token)),
        Client::Browser => {
            let csrf = csrf_token(&state.sealer, tenant, issued.session_id);
            let refresh = (issued.refresh_token, issued.until);
            Answer::ok(&TokensOut::in_cookies(&access, csrf)).keeping(&access, refresh, now)
        }
    };
    Ok(answer.secret())
}

impl RefreshIn {
    /// The token that a request offers, if it offers one.
    pub fn token(self) -> Option<RefreshToken> {
        self.refresh_token.map(RefreshToken::from_wire)
    }
}

impl TokensOut {
    /// Tells two tokens, the refresh token for the one time that it can be told.
    pub fn new(access: AccessToken, refresh: RefreshToken) -> Self {
        Self {
            access_token: access.text,
            token_type: "Bearer",
            expires_in: access.life_seconds,
            refresh_token: refresh.into_wire(),
            csrf_token: None,
        }
    }

    /// Tells none.
    fn in_cookies(access: &AccessToken, csrf_token: String) -> Self {
        Self {
            access_token: String::new(),
            token_type: "Cookie",
            expires_in: access.life_seconds,
            refresh_token: String::new(),
            csrf_token: Some(csrf_token),
        }
    }
}

macro_rules! tells_nothing {
    ($($name:ident)+) => {
        $(impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(stringify!($name))
            }
        })+
    };
}

// What signs somebody in stays out of logs.
tells_nothing!(SignInIn RefreshIn TokensOut);
