//! Sessions: begun by a sign-in, carried on by rotating refresh tokens, ended by anybody who
//! should.

use std::time::Duration as StdDuration;

use ::entity::tenant::{member, refresh_token, session};
use moka::sync::Cache;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, EntityTrait, IntoActiveModel,
    QueryFilter, QuerySelect,
};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::access_token::{Claims, OfTenant};
use super::error::AuthError;
use super::proof::kept_agent;
use super::refresh_token::RefreshToken;
use crate::config::Auth;
use crate::db::{TenantDb, TenantTx};
use crate::kernel::TenantKey;

/// Sessions whose standing is remembered.
const REMEMBERED: u64 = 100_000;

/// A session that was good when it was last looked at.
#[derive(Debug, Clone)]
pub struct LiveSession {
    /// Its id.
    pub id: Uuid,
    /// Whose it is.
    pub member: member::Model,
    expires_at: OffsetDateTime,
}

/// What a sign-in or a refresh hands out.
#[derive(Debug)]
pub struct Issued {
    /// The session.
    pub session_id: Uuid,
    /// Whose it is.
    pub member: member::Model,
    /// To be told once.
    pub refresh_token: RefreshToken,
}

/// Begins, carries on, checks and ends sessions.
#[derive(Clone)]
pub struct Sessions {
    life: Duration,
    /// So that most requests need no query for it. Entries live for seconds: that is how long
    /// another process may go on believing in a session that was ended here.
    live: Cache<(TenantKey, Uuid), LiveSession>,
}

impl Sessions {
    /// Prepares the memory of live sessions.
    pub fn new(config: &Auth) -> Self {
        let recheck = StdDuration::from_secs(config.session_recheck_seconds);
        Self {
            life: Duration::days(config.refresh_days.into()),
            live: Cache::builder()
                .max_capacity(REMEMBERED)
                .time_to_live(recheck)
                .build(),
        }
    }

    /// Begins a session for a member who has proven who they are.
    ///
    /// # Errors
    ///
    /// [`AuthError::Db`], or [`AuthError::Broken`] without randomness.
    pub async fn begin(
        &self,
        tx: &TenantTx,
        member: member::Model,
        user_agent: Option<&str>,
        now: OffsetDateTime,
    ) -> Result<Issued, AuthError> {
        let session_id = Uuid::now_v7();
        let begun = session::ActiveModel {
            id: Set(session_id),
            member_id: Set(member.id),
            user_agent: Set(kept_agent(user_agent)),
            created_at: Set(now),
            last_used_at: Set(now),
            expires_at: Set(now + self.life),
            revoked_at: Set(None),
        };
        begun.insert(tx).await?;
        let refresh_token = self.issue_refresh_token(tx, session_id, now).await?;
        Ok(Issued {
            session_id,
            member,
            refresh_token,
        })
    }

    /// Replaces a refresh token by its successor.
    ///
    /// `Ok(Err(session))` means that the token had been replaced before: somebody has a copy. The
    /// whole session is ended then, which must be committed before the caller refuses.
    ///
    /// # Errors
    ///
    /// [`AuthError::InvalidRefreshToken`] for a token that is unknown, expired or of an ended
    /// session.
    pub async fn refresh(
        &self,
        tx: &TenantTx,
        token: &RefreshToken,
        now: OffsetDateTime,
    ) -> Result<Result<Issued, Uuid>, AuthError> {
        let stored = refresh_token::Entity::find_by_id(token.hash())
            .lock_exclusive()
            .one(tx)
            .await?
            .ok_or(AuthError::InvalidRefreshToken)?;
        let (session, member) = session::Entity::find_by_id(stored.session_id)
            .find_also_related(member::Entity)
            .one(tx)
            .await?
            .ok_or(AuthError::InvalidRefreshToken)?;
        let member = member.ok_or(AuthError::InvalidRefreshToken)?;
        let is_good = session.revoked_at.is_none()
            && now < stored.expires_at
            && member.status == member::Status::Active;
        if !is_good {
            return Err(AuthError::InvalidRefreshToken);
        }
        if stored.replaced_at.is_some() {
            end(tx, session.id, now).await?;
            return Ok(Err(session.id));
        }
        let mut replaced = stored.into_active_model();
        replaced.replaced_at = Set(Some(now));
        replaced.update(tx).await?;
        let session_id = session.id;
        let mut used = session.into_active_model();
        used.last_used_at = Set(now);
        used.expires_at = Set(now + self.life);
        used.update(tx).await?;
        let refresh_token = self.issue_refresh_token(tx, session_id, now).await?;
        Ok(Ok(Issued {
            session_id,
            member,
            refresh_token,
        }))
    }

    /// Ends a session, for this process at once.
    ///
    /// # Errors
    ///
    /// [`AuthError::Db`].
    pub async fn end(&self, db: &TenantDb, id: Uuid, now: OffsetDateTime) -> Result<(), AuthError> {
        db.write(async |tx| end(tx, id, now).await).await?;
        self.forget(db, id);
        Ok(())
    }

    /// Looks at a session anew when it is next used.
    pub fn forget(&self, db: &TenantDb, id: Uuid) {
        self.live.invalidate(&(db.tenant().key(), id));
    }

    /// The session that an access token was issued for, if it is still good.
    ///
    /// # Errors
    ///
    /// [`AuthError::InvalidToken`] when it isn't, or when the member's tokens were voided since.
    pub async fn check(
        &self,
        db: &TenantDb,
        claims: &Claims<OfTenant>,
        now: OffsetDateTime,
    ) -> Result<LiveSession, AuthError> {
        let key = (db.tenant().key(), claims.sid);
        let session = match self.live.get(&key) {
            Some(session) => session,
            None => {
                let session = db.read(async |tx| find_live(tx, claims.sid).await).await?;
                self.live.insert(key, session.clone());
                session
            }
        };
        let is_good = now < session.expires_at
            && session.member.id == claims.sub
            && session.member.token_version == claims.tv;
        if is_good {
            Ok(session)
        } else {
            Err(AuthError::InvalidToken)
        }
    }

    async fn issue_refresh_token(
        &self,
        tx: &TenantTx,
        session_id: Uuid,
        now: OffsetDateTime,
    ) -> Result<RefreshToken, AuthError> {
        let token = RefreshToken::generate()?;
        let issued = refresh_token::ActiveModel {
            hash: Set(token.hash()),
            session_id: Set(session_id),
            issued_at: Set(now),
            expires_at: Set(now + self.life),
            replaced_at: Set(None),
        };
        refresh_token::Entity::insert(issued)
            .exec_without_returning(tx)
            .await?;
        Ok(token)
    }
}

impl std::fmt::Debug for Sessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sessions")
    }
}

async fn end(tx: &TenantTx, id: Uuid, now: OffsetDateTime) -> Result<(), AuthError> {
    session::Entity::update_many()
        .col_expr(session::Column::RevokedAt, Expr::value(now))
        .filter(session::Column::Id.eq(id))
        .filter(session::Column::RevokedAt.is_null())
        .exec(tx)
        .await?;
    Ok(())
}

async fn find_live(tx: &TenantTx, id: Uuid) -> Result<LiveSession, AuthError> {
    let (session, member) = session::Entity::find_by_id(id)
        .find_also_related(member::Entity)
        .filter(session::Column::RevokedAt.is_null())
        .filter(member::Column::Status.eq(member::Status::Active))
        .one(tx)
        .await?
        .ok_or(AuthError::InvalidToken)?;
    let member = member.ok_or(AuthError::InvalidToken)?;
    Ok(LiveSession {
        id: session.id,
        member,
        expires_at: session.expires_at,
    })
}

/// What a sweep removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SweepReport {
    /// Sessions that had ended before the given time.
    pub sessions: u64,
    /// Refresh tokens of living sessions that had expired.
    pub refresh_tokens: u64,
}

/// Removes sessions that ended before `before`, and refresh tokens that have expired. May run
/// any number of times.
///
/// # Errors
///
/// [`AuthError::Db`].
pub async fn sweep(
    tx: &TenantTx,
    before: OffsetDateTime,
    now: OffsetDateTime,
) -> Result<SweepReport, AuthError> {
    let ended = Condition::any()
        .add(session::Column::ExpiresAt.lt(before))
        .add(session::Column::RevokedAt.lt(before));
    let sessions = session::Entity::delete_many()
        .filter(ended)
        .exec(tx)
        .await?
        .rows_affected;
    let refresh_tokens = refresh_token::Entity::delete_many()
        .filter(refresh_token::Column::ExpiresAt.lt(now))
        .exec(tx)
        .await?
        .rows_affected;
    Ok(SweepReport {
        sessions,
        refresh_tokens,
    })
}
