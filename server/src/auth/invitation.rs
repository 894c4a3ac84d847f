//! Invitations: who may become a member, until when, and the token that they prove it with. The
//! operators' half makes them, too: a dealer without people begins with one.

use ::entity::tenant::invitation::{ActiveModel, Column, Entity, Model};
use ::entity::tenant::member::Role;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, DbErr, EntityTrait, IntoActiveModel,
    QueryFilter, QuerySelect,
};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::error::AuthError;
use crate::db::TenantTx;
use crate::kernel::Email;

pub use provisioner::InvitationToken;

/// Somebody to be asked.
#[derive(Debug, Clone)]
pub struct Invited {
    /// Where they read it.
    pub email: Email,
    /// For people; may be empty.
    pub name: String,
    /// Built-in role; the least one beside a role of the dealer's own.
    pub role: Role,
    /// Role of the dealer's own.
    pub role_id: Option<Uuid>,
    /// Where they are to work.
    pub branch_id: Option<Uuid>,
    /// Who asks them; nobody for a first owner.
    pub by: Option<Uuid>,
}

/// Makes an invitation. One to the same address that has expired makes way.
///
/// # Errors
///
/// [`AuthError::Db`], with the name of the broken constraint when an open one stands or role or
/// branch isn't there; [`AuthError::Broken`] without randomness.
pub async fn offer(
    tx: &TenantTx,
    invited: &Invited,
    life: Duration,
    now: OffsetDateTime,
) -> Result<(Model, InvitationToken), AuthError> {
    let expired = Entity::delete_many()
        .filter(Column::Email.eq(invited.email.as_str()))
        .filter(Column::AcceptedAt.is_null())
        .filter(Column::RevokedAt.is_null())
        .filter(Column::ExpiresAt.lte(now));
    expired.exec(tx).await?;
    let token = generate()?;
    let row = ActiveModel {
        id: Set(Uuid::now_v7()),
        email: Set(invited.email.to_string()),
        name: Set(invited.name.clone()),
        role: Set(invited.role),
        role_id: Set(invited.role_id),
        branch_id: Set(invited.branch_id),
        token_hash: Set(token.hash()),
        invited_by: Set(invited.by),
        version: Set(1),
        created_at: Set(now),
        updated_at: Set(now),
        expires_at: Set(now + life),
        accepted_at: Set(None),
        revoked_at: Set(None),
    };
    Ok((row.insert(tx).await?, token))
}

/// Makes an invitation good for its whole life again, with another token; the old one is void.
///
/// # Errors
///
/// As [`offer`].
pub async fn renew(
    tx: &TenantTx,
    invitation: Model,
    life: Duration,
    now: OffsetDateTime,
) -> Result<(Model, InvitationToken), AuthError> {
    let token = generate()?;
    let next = invitation.version + 1;
    let mut renewed = invitation.into_active_model();
    renewed.token_hash = Set(token.hash());
    renewed.expires_at = Set(now + life);
    renewed.updated_at = Set(now);
    renewed.version = Set(next);
    Ok((renewed.update(tx).await?, token))
}

/// The open invitation to an address, held until the transaction ends.
///
/// # Errors
///
/// When the database refuses.
pub async fn open_to(tx: &TenantTx, email: &Email) -> Result<Option<Model>, DbErr> {
    Entity::find()
        .filter(Column::Email.eq(email.as_str()))
        .filter(Column::AcceptedAt.is_null())
        .filter(Column::RevokedAt.is_null())
        .lock_exclusive()
        .one(tx)
        .await
}

fn generate() -> Result<InvitationToken, AuthError> {
    InvitationToken::generate().map_err(|error| AuthError::Broken(error.to_string()))
}
