//! Tokens that are handed out or mailed once and work once.

use ::entity::tenant::one_time_token::{ActiveModel, Column, Entity, Model};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait, DbErr, EntityTrait, QueryFilter};
use serde_json::Value;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::error::AuthError;
use crate::db::TenantTx;
use crate::kernel::Sealer;

/// What a token is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// To prove that an address is its member's.
    EmailVerification,
    /// To replace an address by another.
    EmailChange,
    /// To set a password anew.
    PasswordReset,
    /// To begin a session with one more dealer.
    Switch,
}

/// A token to be made.
#[derive(Debug, Clone)]
pub struct NewOneTime {
    /// What for.
    pub kind: Kind,
    /// Whose; nobody's is never good for anything.
    pub member: Option<Uuid>,
    /// What belongs to it.
    pub payload: Value,
    /// For how long it works.
    pub life: Duration,
}

/// A token as its holder has it.
#[derive(Clone, PartialEq, Eq)]
pub struct OneTimeToken(String);

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::EmailVerification => "email_verification",
            Self::EmailChange => "email_change",
            Self::PasswordReset => "password_reset",
            Self::Switch => "switch",
        }
    }
}

impl OneTimeToken {
    /// What came from somebody.
    pub fn from_wire(text: String) -> Self {
        Self(text)
    }

    /// As it is told, once.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn generate() -> Result<Self, AuthError> {
        let mut bytes = [0_u8; 32];
        getrandom::fill(&mut bytes).map_err(|error| AuthError::Broken(error.to_string()))?;
        Ok(Self(format!("tbxo_{}", URL_SAFE_NO_PAD.encode(bytes))))
    }

    fn hash(&self, sealer: &Sealer) -> Vec<u8> {
        sealer.digest("one-time token", self.0.as_bytes())
    }
}

/// Makes a token. One without a member is written all the same, so that nobody can tell by the time
/// it takes whether there was one; it is used up from the beginning.
///
/// # Errors
///
/// [`AuthError::Db`], or [`AuthError::Broken`] without randomness.
pub async fn issue(
    tx: &TenantTx,
    sealer: &Sealer,
    new: NewOneTime,
    now: OffsetDateTime,
) -> Result<OneTimeToken, AuthError> {
    let token = OneTimeToken::generate()?;
    let row = ActiveModel {
        hash: Set(token.hash(sealer)),
        kind: Set(new.kind.name().to_owned()),
        member_id: Set(new.member),
        payload: Set(new.payload),
        created_at: Set(now),
        expires_at: Set(now + new.life),
        used_at: Set(new.member.is_none().then_some(now)),
    };
    Entity::insert(row).exec_without_returning(tx).await?;
    Ok(token)
}

/// Looks at a token that is still good, without using it.
///
/// # Errors
///
/// [`AuthError::Db`].
pub async fn peek(
    tx: &TenantTx,
    sealer: &Sealer,
    (kind, token): (Kind, &OneTimeToken),
    now: OffsetDateTime,
) -> Result<Option<Model>, AuthError> {
    let found = Entity::find_by_id(token.hash(sealer))
        .filter(Column::Kind.eq(kind.name()))
        .filter(Column::UsedAt.is_null())
        .filter(Column::ExpiresAt.gt(now));
    Ok(found.one(tx).await?)
}

/// Uses a token. Of two who try at once, one gets nothing.
///
/// # Errors
///
/// [`AuthError::Db`].
pub async fn redeem(
    tx: &TenantTx,
    sealer: &Sealer,
    (kind, token): (Kind, &OneTimeToken),
    now: OffsetDateTime,
) -> Result<Option<Model>, AuthError> {
    let used = Entity::update_many()
        .col_expr(Column::UsedAt, Expr::value(now))
        .filter(Column::Hash.eq(token.hash(sealer)))
        .filter(Column::Kind.eq(kind.name()))
        .filter(Column::UsedAt.is_null())
        .filter(Column::ExpiresAt.gt(now));
    let rows = used.exec_with_returning(tx).await?;
    Ok(rows.into_iter().next())
}

/// Voids what a member still holds, of some kinds or of all.
///
/// # Errors
///
/// When the database refuses.
pub async fn void(
    tx: &TenantTx,
    member: Uuid,
    kinds: &[Kind],
    now: OffsetDateTime,
) -> Result<(), DbErr> {
    let mut voiding = Entity::update_many()
        .col_expr(Column::UsedAt, Expr::value(now))
        .filter(Column::MemberId.eq(member))
        .filter(Column::UsedAt.is_null());
    if !kinds.is_empty() {
        voiding = voiding.filter(Column::Kind.is_in(kinds.iter().map(|kind| kind.name())));
    }
    voiding.exec(tx).await?;
    Ok(())
}

/// Removes tokens of every kind that expired before a time. Answers with how many there were.
///
/// # Errors
///
/// When the database refuses.
pub async fn sweep(tx: &TenantTx, before: OffsetDateTime) -> Result<u64, DbErr> {
    let expired = Entity::delete_many().filter(Column::ExpiresAt.lt(before));
    Ok(expired.exec(tx).await?.rows_affected)
}

impl std::fmt::Debug for OneTimeToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OneTimeToken(…)")
    }
}
