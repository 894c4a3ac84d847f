//! What somebody showed to prove who they are, kept for as long as they are served: it can be looked
//! at again.

use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;

use super::access::Access;
use super::claims::{Claims, OfTenant};
use super::error::AuthError;
use super::keys::SentKey;
use super::principal::Principal;
use crate::db::TenantDb;

/// What somebody showed. Its signature was found good.
#[derive(Debug, Clone)]
pub enum Shown {
    /// The token of a session.
    Token(Claims<OfTenant>),
    /// A key.
    Key(SentKey),
}

impl Shown {
    /// Whoever it stands for, if it still does.
    ///
    /// # Errors
    ///
    /// As [`Access::by_session`] and [`Access::by_key`].
    pub async fn holder(
        &self,
        access: &Access,
        db: &TenantDb,
        now: OffsetDateTime,
    ) -> Result<Arc<Principal>, AuthError> {
        match self {
            Self::Token(claims) => access.by_session(db, claims, now).await,
            Self::Key(sent) => access.by_key(db, sent, now).await,
        }
    }

    /// How long it can be used from `now` on, if that is bounded by itself.
    pub fn life_left(&self, now: OffsetDateTime) -> Option<Duration> {
        match self {
            Self::Token(claims) => Some(claims.life_left(now)),
            Self::Key(_) => None,
        }
    }
}
