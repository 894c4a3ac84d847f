//! Sessions: begun by whoever has proven who they are, and carried on by rotating refresh tokens.

use std::net::IpAddr;

use ::entity::tenant::{member, refresh_token, session};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
    QuerySelect,
};
use serde::Deserialize;
use time::{Duration, OffsetDateTime};
use utoipa::ToSchema;
use uuid::Uuid;

use super::epoch;
use super::error::AuthError;
use super::proof::kept_agent;
use super::refresh_token::RefreshToken;
use super::session_end::end;
use crate::config::Auth;
use crate::db::TenantTx;
use crate::kernel::Sealer;

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
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
    /// UTC; nothing of the session is good past this unless it is carried on.
    pub until: OffsetDateTime,
    /// To be told once.
    pub refresh_token: RefreshToken,
}

/// What became of a refresh token that was brought back.
#[derive(Debug)]
pub enum Refreshed {
    /// It was replaced; or it had been a moment ago, for the same client, whose answer got lost.
    Replaced(Box<Issued>),
    /// It had been replaced before, so somebody has a copy: its session is ended, which must be
    /// committed before the caller refuses.
    Reused(Uuid),
}

/// Begins, carries on and ends sessions.
#[derive(Debug, Clone)]
pub struct Sessions {
    /// Without being used.
    idle_life: Duration,
    /// However much it is used.
    whole_life: Duration,
    /// How long an answer may be asked for again.
    replay: Duration,
    sealer: Sealer,
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
    pub fn new(config: &Auth, sealer: &Sealer) -> Self {
        Self {
            idle_life: Duration::days(config.refresh_days.into()),
            whole_life: Duration::days(config.session_days.into()),
            replay: Duration::seconds(config.refresh_replay_seconds.into()),
            sealer: sealer.clone(),
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
        let ends_at = now + self.whole_life;
        let until = ends_at.min(now + self.idle_life);
        let begun = session::ActiveModel {
            id: Set(session_id),
            member_id: Set(member.id),
            user_agent: Set(kept_agent(visitor.user_agent.as_deref())),
            created_at: Set(now),
            last_used_at: Set(now),
            expires_at: Set(until),
            revoked_at: Set(None),
            method: Set(beginning.method.name().to_owned()),
            client: Set(visitor.client.name().to_owned()),
            address: Set(visitor.address.clone()),
            proven_at: Set(Some(now)),
            second_factor_at: Set(beginning.second_factor.then_some(now)),
            ends_at: Set(Some(ends_at)),
            ended_because: Set(None),
        };
        session::Entity::insert(begun)
            .exec_without_returning(tx)
            .await?;
        member::Entity::update_many()
            .col_expr(member::Column::LastSignInAt, Expr::value(now))
            .filter(member::Column::Id.eq(member.id))
            .exec(tx)
            .await?;
        // The newest sign-in stands beside the person, so that a list of people needs no sessions.
        member::Entity::update_many()
            .col_expr(member::Column::LastSignInAt, Expr::value(now))
            .filter(member::Column::Id.eq(member.id))
            .exec(tx)
            .await?;
        let refresh_token = RefreshToken::generate()?;
        keep(tx, &refresh_token, session_id, (now, until)).await?;
        Ok(Issued {
            session_id,
            member,
            tenant_version: epoch::read(tx).await?.token_version,
            client: visitor.client,
            until,
            refresh_token,
        })
    }

    /// Replaces a refresh token by its successor. Whoever brings it again from the same client, at
    /// once and before the successor was used, gets the same successor: their answer was lost.
    ///
    /// # Errors
    ///
    /// [`AuthError::InvalidRefreshToken`] for a token that is unknown, expired or of an ended
    /// session.
    pub async fn refresh(
        &self,
        tx: &TenantTx,
        token: &RefreshToken,
        visitor: &Visitor,
        now: OffsetDateTime,
    ) -> Result<Refreshed, AuthError> {
        let stored = refresh_token::Entity::find_by_id(token.hash())
            .lock_exclusive()
            .one(tx)
            .await?
            .ok_or(AuthError::InvalidRefreshToken)?;
        // Whoever ends the session waits, or is waited for: no token is issued past its end.
        let session = session::Entity::find_by_id(stored.session_id)
            .lock_exclusive()
            .one(tx)
            .await?
            .ok_or(AuthError::InvalidRefreshToken)?;
        let member = member::Entity::find_by_id(session.member_id)
            .one(tx)
            .await?
            .ok_or(AuthError::InvalidRefreshToken)?;
        let ends_at = session
            .ends_at
            .unwrap_or(session.created_at + self.whole_life);
        let is_good = session.revoked_at.is_none()
            && now < stored.expires_at.min(ends_at)
            && member.status == member::Status::Active;
        if !is_good {
            return Err(AuthError::InvalidRefreshToken);
        }
        let client = self.digest_of(visitor);
        let successor = token.successor(&self.sealer);
        let until = if let Some(replaced_at) = stored.replaced_at {
            let is_prompt = now - replaced_at <= self.replay;
            let unused = unused(tx, &successor, session.id).await?;
            match unused.filter(|_| is_prompt && stored.client.as_ref() == Some(&client)) {
                Some(until) => until,
                None => {
                    end(tx, session.id, "refresh_token_reused", now).await?;
                    return Ok(Refreshed::Reused(session.id));
                }
            }
        } else {
            let until = ends_at.min(now + self.idle_life);
            let mut replaced = stored.into_active_model();
            replaced.replaced_at = Set(Some(now));
            replaced.replaced_by = Set(Some(successor.hash()));
            replaced.client = Set(Some(client));
            replaced.update(tx).await?;
            let mut used = session.clone().into_active_model();
            used.last_used_at = Set(now);
            used.expires_at = Set(until);
            used.update(tx).await?;
            keep(tx, &successor, session.id, (now, until)).await?;
            until
        };
        Ok(Refreshed::Replaced(Box::new(Issued {
            session_id: session.id,
            member,
            tenant_version: epoch::read(tx).await?.token_version,
            client: Client::of(&session.client),
            until,
            refresh_token: successor,
        })))
    }

    /// What a client is known by when it comes again: its name and its network.
    fn digest_of(&self, visitor: &Visitor) -> Vec<u8> {
        let agent = visitor.user_agent.as_deref().unwrap_or_default();
        let network = visitor.address.as_deref().map(network_of);
        let text = format!("{}\0{agent}", network.unwrap_or_default());
        self.sealer.digest("refresh client", text.as_bytes())
    }
}

/// The neighbourhood of an address: clients change addresses within it.
fn network_of(address: &str) -> String {
    match address.parse() {
        Ok(IpAddr::V4(address)) => {
            let [a, b, c, _] = address.octets();
            format!("{a}.{b}.{c}")
        }
        Ok(IpAddr::V6(address)) => {
            let [a, b, c, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}")
        }
        Err(_) => address.to_owned(),
    }
}

/// Until when a successor is good, if nobody has used it.
async fn unused(
    tx: &TenantTx,
    successor: &RefreshToken,
    session: Uuid,
) -> Result<Option<OffsetDateTime>, AuthError> {
    let found = refresh_token::Entity::find_by_id(successor.hash()).one(tx);
    let unused = found
        .await?
        .filter(|it| it.session_id == session && it.replaced_at.is_none());
    Ok(unused.map(|it| it.expires_at))
}

async fn keep(
    tx: &TenantTx,
    token: &RefreshToken,
    session_id: Uuid,
    (now, until): (OffsetDateTime, OffsetDateTime),
) -> Result<(), AuthError> {
    let issued = refresh_token::ActiveModel {
        hash: Set(token.hash()),
        session_id: Set(session_id),
        issued_at: Set(now),
        expires_at: Set(until),
        replaced_at: Set(None),
        replaced_by: Set(None),
        client: Set(None),
    };
    refresh_token::Entity::insert(issued)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}
