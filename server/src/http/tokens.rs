//! Signing in on the wire: the same for members of dealers and for operators.

use actix_web::HttpRequest;
use actix_web::http::header::USER_AGENT;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::answer::Answer;
use super::client::client_address;
use super::problem::Problem;
use super::request::RequestId;
use crate::auth::{Client, Issued, Proof, RefreshToken, Visitor};
use crate::db::TenantDb;
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
}

/// A refresh token.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefreshIn {
    /// As it was handed out; it works once.
    #[validate(length(min = 1, max = 200))]
    #[schema(example = "AZrmP0bxddqWwJmTNwPmZL1r8jVsXq2oTn4eK7uYhQc")]
    refresh_token: String,
}

/// Two tokens.
#[derive(Serialize, ToSchema)]
pub struct TokensOut {
    /// For the header `Authorization: Bearer …`.
    access_token: String,
    /// Always `Bearer`.
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// Life of the access token, seconds.
    #[schema(example = 900)]
    expires_in: i64,
    /// For the next two tokens; it works once.
    refresh_token: String,
}

impl SignInIn {
    /// The proof that a request offers.
    pub fn proof(self, req: &HttpRequest) -> Proof {
        let mut proof = Proof::new(&self.email, self.password);
        proof.visitor = visitor(req, Client::Bearer);
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
    let (tenant, member) = (db.tenant().key(), &issued.member);
    let (version, now) = (member.token_version, state.clock.now());
    let access_token = state
        .tokens
        .issue(tenant, member.id, issued.session_id, version, now)?;
    let life_seconds = state.tokens.life_seconds();
    let tokens = TokensOut::new(access_token, life_seconds, issued.refresh_token);
    Ok(Answer::ok(&tokens).secret())
}

impl RefreshIn {
    /// The token that a request offers.
    pub fn token(self) -> RefreshToken {
        RefreshToken::from_wire(self.refresh_token)
    }
}

impl TokensOut {
    /// Tells two tokens, the refresh token for the one time that it can be told.
    pub fn new(access_token: String, life_seconds: i64, refresh_token: RefreshToken) -> Self {
        Self {
            access_token,
            token_type: "Bearer",
            expires_in: life_seconds,
            refresh_token: refresh_token.into_wire(),
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
