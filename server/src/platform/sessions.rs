//! Operators' sessions: begun by a sign-in, carried on by rotating refresh tokens until their time
//! is over, ended by anybody who should.

use std::time::Duration as StdDuration;

use ::entity::platform::{operator, operator_refresh_token, operator_session};
use moka::sync::Cache;
use provisioner::operators::Status;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, DbErr, EntityTrait, IntoActiveModel,
    QueryFilter, QuerySelect,
};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::auth::{AuthError, Claims, OfPlatform, RefreshToken, kept_agent};
use crate::config::Config;
use crate::db::{PlatformDb, PlatformTx};

/// For how long a session's standing is believed: within a second of its end no process does.
const BELIEVED: StdDuration = StdDuration::from_millis(700);
/// Sessions whose standing is remembered; there are few operators.
const REMEMBERED: u64 = 1_000;

/// A session that was good when it was last looked at.
#[derive(Debug, Clone)]
pub(super) struct LiveSession {
    pub(super) id: Uuid,
    pub(super) operator: operator::Model,
    expires_at: OffsetDateTime,
}

/// What a sign-in or a refresh hands out.
#[derive(Debug)]
pub(super) struct Issued {
    pub(super) session_id: Uuid,
    pub(super) operator: operator::Model,
    /// UTC; the end of the session.
    pub(super) until: OffsetDateTime,
    pub(super) refresh_token: RefreshToken,
}

/// Begins, carries on, checks and ends sessions.
pub(super) struct OperatorSessions {
    life: Duration,
    /// How long a session that is over stays visible.
    kept: Duration,
    /// So that most requests need no query for it; entries live for seconds.
    live: Cache<Uuid, LiveSession>,
}

impl OperatorSessions {
    /// Prepares the memory of live sessions.
    pub(super) fn new(config: &Config) -> Self {
        Self {
            life: Duration::days(config.auth.refresh_days.into()),
            kept: Duration::days(config.worker.session_retention_days.into()),
            live: Cache::builder()
                .max_capacity(REMEMBERED)
                .time_to_live(BELIEVED)
                .build(),
        }
    }

    /// Begins a session for an operator who has proven who they are, and sweeps out sessions that
    /// are long over.
    ///
    /// # Errors
    ///
    /// [`AuthError::WrongCredentials`] when they were changed while they proved it.
    pub(super) async fn begin(
        &self,
        tx: &PlatformTx,
        proven: &operator::Model,
        user_agent: Option<&str>,
        now: OffsetDateTime,
    ) -> Result<Issued, AuthError> {
        let operator = operator::Entity::find_by_id(proven.id)
            .lock_shared()
            .one(tx)
            .await?
            .filter(|seen| seen.token_version == proven.token_version)
            .ok_or(AuthError::WrongCredentials)?;
        operator_session::Entity::delete_many()
            .filter(operator_session::Column::ExpiresAt.lt(now - self.kept))
            .exec(tx)
            .await?;
        let session = operator_session::ActiveModel {
            id: Set(Uuid::now_v7()),
            operator_id: Set(operator.id),
            user_agent: Set(kept_agent(user_agent)),
            created_at: Set(now),
            last_used_at: Set(now),
            expires_at: Set(now + self.life),
            revoked_at: Set(None),
        };
        let session = session.insert(tx).await?;
        issue(tx, &session, operator).await
    }

    /// Replaces a refresh token by its successor, which lives no longer than the session.
    ///
    /// `Ok(Err(session))` means that the token had been used before: somebody has a copy. The
    /// whole session is ended then, which must be committed before the caller refuses.
    ///
    /// # Errors
    ///
    /// [`AuthError::InvalidRefreshToken`] for a token that is unknown, expired or of an ended
    /// session.
    pub(super) async fn refresh(
        &self,
        tx: &PlatformTx,
        token: &RefreshToken,
        now: OffsetDateTime,
    ) -> Result<Result<Issued, Uuid>, AuthError> {
        let refused = || AuthError::InvalidRefreshToken;
        let stored = operator_refresh_token::Entity::find_by_id(token.hash())
            .lock_exclusive()
            .one(tx)
            .await?
            .filter(|stored| now < stored.expires_at)
            .ok_or_else(refused)?;
        let (session, operator) = find_live(tx, stored.session_id)
            .await?
            .ok_or_else(refused)?;
        if stored.used_at.is_some() {
            end(tx, session.id, now).await?;
            return Ok(Err(session.id));
        }
        let mut used = stored.into_active_model();
        used.used_at = Set(Some(now));
        used.update(tx).await?;
        let mut carried_on = session.into_active_model();
        carried_on.last_used_at = Set(now);
        let session = carried_on.update(tx).await?;
        issue(tx, &session, operator).await.map(Ok)
    }

    /// Ends a session, for this process at once.
    ///
    /// # Errors
    ///
    /// [`AuthError::Db`].
    pub(super) async fn end(
        &self,
        rows: &PlatformDb,
        id: Uuid,
        now: OffsetDateTime,
    ) -> Result<(), AuthError> {
        rows.write(async |tx| end(tx, id, now).await).await?;
        self.forget(id);
        Ok(())
    }

    /// Looks at a session anew when it is next used.
    pub(super) fn forget(&self, id: Uuid) {
        self.live.invalidate(&id);
    }

    /// The session that an access token was issued for, if it is still good.
    ///
    /// # Errors
    ///
    /// [`AuthError::InvalidToken`] when it isn't, or when the operator's tokens were voided since.
    pub(super) async fn check(
        &self,
        rows: &PlatformDb,
        claims: &Claims<OfPlatform>,
        now: OffsetDateTime,
    ) -> Result<LiveSession, AuthError> {
        let session = match self.live.get(&claims.sid) {
            Some(session) => session,
            None => {
                let found = rows.read(async |tx| find_live(tx, claims.sid).await);
                let (session, operator) = found.await?.ok_or(AuthError::InvalidToken)?;
                let session = LiveSession {
                    id: session.id,
                    operator,
                    expires_at: session.expires_at,
                };
                self.live.insert(session.id, session.clone());
                session
            }
        };
        let is_good = now < session.expires_at
            && session.operator.id == claims.sub
            && session.operator.token_version == claims.tv;
        if is_good {
            Ok(session)
        } else {
            Err(AuthError::InvalidToken)
        }
    }
}

impl std::fmt::Debug for OperatorSessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OperatorSessions")
    }
}

async fn issue(
    tx: &PlatformTx,
    session: &operator_session::Model,
    operator: operator::Model,
) -> Result<Issued, AuthError> {
    let refresh_token = RefreshToken::generate()?;
    let issued = operator_refresh_token::ActiveModel {
        hash: Set(refresh_token.hash()),
        session_id: Set(session.id),
        used_at: Set(None),
        expires_at: Set(session.expires_at),
    };
    operator_refresh_token::Entity::insert(issued)
        .exec_without_returning(tx)
        .await?;
    Ok(Issued {
        session_id: session.id,
        operator,
        until: session.expires_at,
        refresh_token,
    })
}

async fn end(tx: &PlatformTx, id: Uuid, now: OffsetDateTime) -> Result<(), AuthError> {
    operator_session::Entity::update_many()
        .col_expr(operator_session::Column::RevokedAt, Expr::value(now))
        .filter(operator_session::Column::Id.eq(id))
        .filter(operator_session::Column::RevokedAt.is_null())
        .exec(tx)
        .await?;
    Ok(())
}

/// A session that nobody ended, with its operator if they may sign in.
async fn find_live(
    tx: &PlatformTx,
    id: Uuid,
) -> Result<Option<(operator_session::Model, operator::Model)>, DbErr> {
    let found = operator_session::Entity::find_by_id(id)
        .find_also_related(operator::Entity)
        .filter(operator_session::Column::RevokedAt.is_null())
        .filter(operator::Column::Status.eq(Status::Active))
        .one(tx)
        .await?;
    Ok(found.and_then(|(session, operator)| Some((session, operator?))))
}
