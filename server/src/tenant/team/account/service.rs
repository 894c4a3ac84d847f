//! Use cases of one's own account.

use ::entity::tenant::member::{self, Column, Entity, Model, Status};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
    QuerySelect,
};
use serde_json::json;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::auth::{
    NewOneTime, OneTimeKind, OneTimeToken, Sealer, end_all_sessions, epoch, one_time,
};
use crate::db::TenantTx;
use crate::kernel::Email;
use crate::tenant::team::error::TeamError;

/// An active member by their address.
pub(super) async fn by_email(tx: &TenantTx, email: &str) -> Result<Option<Model>, TeamError> {
    let found = Entity::find()
        .filter(Column::Email.eq(email))
        .filter(Column::Status.eq(Status::Active));
    Ok(found.one(tx).await?)
}

/// An active member.
pub(super) async fn by_id(tx: &TenantTx, id: Uuid) -> Result<Model, TeamError> {
    let found = Entity::find_by_id(id).filter(Column::Status.eq(Status::Active));
    found.one(tx).await?.ok_or(TeamError::MemberNotFound)
}

/// A token of a kind for a member, or one that is good for nothing.
pub(super) async fn issue(
    tx: &TenantTx,
    sealer: &Sealer,
    kind: OneTimeKind,
    (member, email): (Option<Uuid>, &str),
    (life, now): (Duration, OffsetDateTime),
) -> Result<OneTimeToken, TeamError> {
    let new = NewOneTime {
        kind,
        member,
        payload: json!({ "email": email }),
        life,
    };
    Ok(one_time::issue(tx, sealer, new, now).await?)
}

/// Whose password a token sets, without using it.
pub(super) async fn owner_of(
    tx: &TenantTx,
    sealer: &Sealer,
    token: &OneTimeToken,
    now: OffsetDateTime,
) -> Result<Model, TeamError> {
    let wanted = (OneTimeKind::PasswordReset, token);
    let found = one_time::peek(tx, sealer, wanted, now).await?;
    let member = found.and_then(|token| token.member_id);
    let member = member.ok_or(TeamError::TokenInvalid)?;
    by_id(tx, member).await.map_err(invalid_if_gone)
}

/// Uses a reset: everything that was begun with the old password ends, and whoever reads what comes
/// to the address has proven it.
pub(super) async fn reset(
    tx: &TenantTx,
    sealer: &Sealer,
    token: &OneTimeToken,
    hash: &str,
    now: OffsetDateTime,
) -> Result<Model, TeamError> {
    let (member, email) = used(tx, sealer, (OneTimeKind::PasswordReset, token), now).await?;
    let is_same = member.email == email;
    let verified = member.email_verified_at.or(is_same.then_some(now));
    let (id, version) = (member.id, member.token_version);
    let mut changed = with_password(member, hash, now);
    changed.token_version = Set(version + 1);
    changed.email_verified_at = Set(verified);
    let member = changed.update(tx).await?;
    let resets = [OneTimeKind::PasswordReset, OneTimeKind::EmailChange];
    one_time::void(tx, id, &resets, now).await?;
    end_all_sessions(tx, id, None, "password_reset", now).await?;
    Ok(member)
}

/// Sets a password; all sessions but the one that asks for it end.
pub(super) async fn change_password(
    tx: &TenantTx,
    (id, session): (Uuid, Uuid),
    hash: &str,
    now: OffsetDateTime,
) -> Result<Model, TeamError> {
    let member = locked(tx, id).await?;
    let member = with_password(member, hash, now).update(tx).await?;
    one_time::void(tx, id, &[OneTimeKind::PasswordReset], now).await?;
    end_all_sessions(tx, id, Some(session), "password_changed", now).await?;
    Ok(member)
}

/// Marks the address as its member's, if it still is the one that was written to.
pub(super) async fn verify(
    tx: &TenantTx,
    sealer: &Sealer,
    token: &OneTimeToken,
    now: OffsetDateTime,
) -> Result<Model, TeamError> {
    let wanted = (OneTimeKind::EmailVerification, token);
    let (member, email) = used(tx, sealer, wanted, now).await?;
    if member.email != email {
        return Err(TeamError::TokenInvalid);
    }
    let next = member.version + 1;
    let verified = member.email_verified_at.unwrap_or(now);
    let mut changed = member.into_active_model();
    changed.email_verified_at = Set(Some(verified));
    changed.version = Set(next);
    changed.updated_at = Set(now);
    let member = changed.update(tx).await?;
    epoch::bump(tx).await?;
    Ok(member)
}

/// Insists that nobody in the team has an address.
pub(super) async fn must_be_free(tx: &TenantTx, email: &Email) -> Result<(), TeamError> {
    let by_email = Column::Email.eq(email.as_str());
    match Entity::find().filter(by_email).one(tx).await? {
        Some(_) => Err(TeamError::EmailTaken),
        None => Ok(()),
    }
}

/// Replaces an address by the one that a token was sent to.
pub(super) async fn confirm(
    tx: &TenantTx,
    sealer: &Sealer,
    token: &OneTimeToken,
    now: OffsetDateTime,
) -> Result<(Model, Model), TeamError> {
    let wanted = (OneTimeKind::EmailChange, token);
    let (before, email) = used(tx, sealer, wanted, now).await?;
    let mut changed = before.clone().into_active_model();
    changed.email = Set(email);
    changed.email_verified_at = Set(Some(now));
    changed.version = Set(before.version + 1);
    changed.updated_at = Set(now);
    let after = changed.update(tx).await?;
    // What was sent to the old address is void with it.
    one_time::void(tx, before.id, &[], now).await?;
    epoch::bump(tx).await?;
    Ok((before, after))
}

/// Uses a token: whose it is, and which address it was made for.
async fn used(
    tx: &TenantTx,
    sealer: &Sealer,
    wanted: (OneTimeKind, &OneTimeToken),
    now: OffsetDateTime,
) -> Result<(Model, String), TeamError> {
    let found = one_time::redeem(tx, sealer, wanted, now).await?;
    let token = found.ok_or(TeamError::TokenInvalid)?;
    let email = token.payload["email"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let id = token.member_id.ok_or(TeamError::TokenInvalid)?;
    let member = locked(tx, id).await.map_err(invalid_if_gone)?;
    Ok((member, email))
}

async fn locked(tx: &TenantTx, id: Uuid) -> Result<Model, TeamError> {
    let active = Entity::find_by_id(id).filter(Column::Status.eq(Status::Active));
    let found = active.lock_exclusive().one(tx).await?;
    found.ok_or(TeamError::MemberNotFound)
}

/// A member who is gone or shut out is told apart from no token by nothing.
fn invalid_if_gone(error: TeamError) -> TeamError {
    match error {
        TeamError::MemberNotFound => TeamError::TokenInvalid,
        other => other,
    }
}

fn with_password(member: Model, hash: &str, now: OffsetDateTime) -> member::ActiveModel {
    let next = member.version + 1;
    let mut changed = member.into_active_model();
    changed.password_hash = Set(Some(hash.to_owned()));
    changed.password_changed_at = Set(Some(now));
    changed.version = Set(next);
    changed.updated_at = Set(now);
    changed
}
