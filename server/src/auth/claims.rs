//! What access tokens say, and to whom.

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::kernel::TenantKey;

/// Whose API a token opens, and what the token says for that. A token of one audience is none of
/// another's.
pub trait Audience: Clone + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The token's `aud`.
    const NAME: &'static str;
}

/// The API of one dealer.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct OfTenant {
    /// The dealer.
    pub tid: Uuid,
    /// The dealer's token version at the time.
    pub ttv: i32,
}

/// The platform's API.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct OfPlatform {}

impl Audience for OfTenant {
    const NAME: &'static str = "tubex:tenant-api";
}

impl Audience for OfPlatform {
    const NAME: &'static str = "tubex:platform-api";
}

impl OfTenant {
    /// The API of this dealer, while its tokens are at this version.
    pub fn at(tenant: TenantKey, version: i32) -> Self {
        Self {
            tid: tenant.id(),
            ttv: version,
        }
    }
}

/// What an access token says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Claims<A> {
    pub(super) iss: String,
    pub(super) aud: String,
    /// The person.
    pub sub: Uuid,
    /// The session.
    pub sid: Uuid,
    /// The person's token version at the time.
    pub tv: i32,
    pub(super) iat: i64,
    pub(super) exp: i64,
    /// What only tokens of this audience say.
    #[serde(flatten)]
    pub of: A,
}

impl<A> Claims<A> {
    /// How long the token is good from `now` on; nothing once it isn't.
    pub fn life_left(&self, now: OffsetDateTime) -> Duration {
        let left = self.exp.saturating_sub(now.unix_timestamp());
        Duration::from_secs(left.try_into().unwrap_or_default())
    }
}

/// Whom a token is for.
#[derive(Debug, Clone, Copy)]
pub struct Holder {
    /// The person.
    pub person: Uuid,
    /// Their session.
    pub session: Uuid,
    /// Their token version.
    pub token_version: i32,
    /// The end of the session, which no token outlives.
    pub until: OffsetDateTime,
}
