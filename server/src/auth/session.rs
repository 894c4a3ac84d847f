//! Sessions: begun by whoever has proven who they are, carried on by rotating refresh tokens,
//! ended by anybody who should.

use ::entity::tenant::{member, refresh_token, session};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, EntityTrait, IntoActiveModel,
    QueryFilter, QuerySelect,
};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::epoch;
use super::error::AuthError;
use super::proof::kept_agent;
use super::refresh_token::RefreshToken;
use crate::config::Auth;
use crate::db::TenantTx;

/// How somebody proved who they are when a session began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// With their password.
    Password,
    /// With an identity provider of the dealer.
    Sso,
    /// With the token of their invitation, or of a reset.
    Message,
    /// With a session at another dealer.
    Switch,
}

/// How a client keeps its tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Client {
    /// Itself, and sends them in headers.
    #[default]
    Bearer,
    /// In cookies that scripts can't read.
    Browser,
}

/// Where a session comes from.
#[derive(Debug, Clone, Default)]
pub struct Visitor {
    /// What the client calls itself.
    pub user_agent: Option<String>,
    /// Its address.
    pub address: Option<String>,
    /// How it keeps its tokens.
    pub client: Client,
}

/// How a session begins.
#[derive(Debug, Clone, Copy)]
pub struct Beginning<'a> {
    /// By which proof.
    pub method: Method,
    /// Whether a second factor was part of it.
    pub second_factor: bool,
    /// Where.
    pub visitor: &'a Visitor,
}

/// What a sign-in or a refresh hands out.
#[derive(Debug)]
pub struct Issued {
    /// The session.
    pub session_id: Uuid,
    /// Whose it is.
    pub member: member::Model,
    /// The dealer's token version.
    pub tenant_version: i32,
    /// How the client keeps its tokens.
    pub client: Client,
    /// To be told once.
    pub refresh_token: RefreshToken,
}

/// Begins, carries on and ends sessions.
#[derive(Debug, Clone)]
pub struct Sessions {
    life: Duration,
}

impl Method {
    /// As it is stored.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Sso => "sso",
            Self::Message => "message",
            Self::Switch => "switch",
        }
    }
}

impl Client {
    /// As it is stored.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bearer => "bearer",
            Self::Browser => "browser",
        }
    }

    fn of(name: &str) -> Self {
        match name {
            "browser" => Self::Browser,
            _ => Self::Bearer,
        }
    }
}

impl Sessions {
    /// Sessions as they are configured.
    pub fn new(config: &Auth) -> Self {
        Self {
            life: Duration::days(config.refresh_days.into()),
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
        beginning: Beginning<'_>,
        now: OffsetDateTime,
    ) -> Result<Issued, AuthError> {
        let session_id = Uuid::now_v7();
        let visitor = beginning.visitor;
        let begun = session::ActiveModel {
            id: Set(session_id),
            member_id: Set(member.id),
            user_agent: Set(kept_agent(visitor.user_agent.as_deref())),
            created_at: Set(now),
            last_used_at: Set(now),
            expires_at: Set(now + self.life),
            revoked_at: Set(None),
            method: Set(beginning.method.name().to_owned()),
            client: Set(visitor.client.name().to_owned()),
            address: Set(visitor.address.clone()),
            proven_at: Set(Some(now)),
            second_factor_at: Set(beginning.second_factor.then_some(now)),
            ends_at: Set(None),
            ended_because: Set(None),
        };
        session::Entity::insert(begun)
            .exec_without_returning(tx)
            .await?;
        let refresh_token = self.issue_refresh_token(tx, session_id, now).await?;
        Ok(Issued {
            session_id,
            member,
            tenant_version: epoch::read(tx).await?.token_version,
            client: visitor.client,
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
            end(tx, session.id, "refresh_token_reused", now).await?;
            return Ok(Err(session.id));
        }
        let mut replaced = stored.into_active_model();
        replaced.replaced_at = Set(Some(now));
        replaced.update(tx).await?;
        let session_id = session.id;
        let client = Client::of(&session.client);
        let mut used = session.into_active_model();
        used.last_used_at = Set(now);
        used.expires_at = Set(now + self.life);
        used.update(tx).await?;
        let refresh_token = self.issue_refresh_token(tx, session_id, now).await?;
        Ok(Ok(Issued {
            session_id,
            member,
            tenant_version: epoch::read(tx).await?.token_version,
            client,
            refresh_token,
        }))
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
            replaced_by: Set(None),
            client: Set(None),
        };
        refresh_token::Entity::insert(issued)
            .exec_without_returning(tx)
            .await?;
        Ok(token)
    }
}

/// Ends a session, for all processes within a second.
///
/// # Errors
///
/// [`AuthError::Db`].
pub async fn end(
    tx: &TenantTx,
    id: Uuid,
    because: &str,
    now: OffsetDateTime,
) -> Result<(), AuthError> {
    session::Entity::update_many()
        .col_expr(session::Column::RevokedAt, Expr::value(now))
        .col_expr(session::Column::EndedBecause, Expr::value(because))
        .filter(session::Column::Id.eq(id))
        .filter(session::Column::RevokedAt.is_null())
        .exec(tx)
        .await?;
    epoch::bump(tx).await?;
    Ok(())
}

/// Ends all sessions of a member but, perhaps, the one that asks for it; for all processes within a
/// second. Answers with how many there were.
///
/// # Errors
///
/// [`AuthError::Db`].
pub async fn end_all(
    tx: &TenantTx,
    member: Uuid,
    but: Option<Uuid>,
    because: &str,
    now: OffsetDateTime,
) -> Result<u64, AuthError> {
    let mut ending = session::Entity::update_many()
        .col_expr(session::Column::RevokedAt, Expr::value(now))
        .col_expr(session::Column::EndedBecause, Expr::value(because))
        .filter(session::Column::MemberId.eq(member))
        .filter(session::Column::RevokedAt.is_null());
    if let Some(spared) = but {
        ending = ending.filter(session::Column::Id.ne(spared));
    }
    let ended = ending.exec(tx).await?.rows_affected;
    epoch::bump(tx).await?;
    Ok(ended)
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
