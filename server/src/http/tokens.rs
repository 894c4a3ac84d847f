//! Signing in on the wire: the same for members of dealers and for operators.

use actix_web::HttpRequest;
use actix_web::http::header::USER_AGENT;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::request::RequestId;
use crate::auth::{Proof, RefreshToken};

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
        let agent = req.headers().get(USER_AGENT);
        let agent = agent.and_then(|agent| agent.to_str().ok());
        let mut proof = Proof::new(&self.email, self.password);
        proof.user_agent = agent.map(ToOwned::to_owned);
        proof.request_id = RequestId::of(req).map(|id| id.to_string());
        proof
    }
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
