//! Use cases of invitations.

use ::entity::tenant::{invitation, member};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder, QuerySelect,
};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::auth::{InvitationToken, Invited, epoch, offer, renew};
use crate::db::TenantTx;
use crate::kernel::{Cursor, Email, Page};
use crate::tenant::team::assignment::Assignment;
use crate::tenant::team::error::TeamError;
use crate::tenant::team::reach::Reach;

/// Somebody to be asked, as whoever asks says it.
#[derive(Debug, Clone)]
pub(super) struct NewInvitation {
    pub email: Email,
    pub name: String,
    pub assignment: Assignment,
    pub branch_id: Option<Uuid>,
}

/// What somebody who accepts says of themselves.
#[derive(Debug, Clone)]
pub(super) struct Newcomer {
    pub name: Option<String>,
    pub password_hash: String,
}

pub(super) async fn list(
    tx: &TenantTx,
    reach: &Reach,
    limit: u64,
    cursor: Option<Cursor>,
) -> Result<Page<invitation::Model>, TeamError> {
    let mut query = invitation::Entity::find()
        .filter(open(reach)?)
        .order_by_asc(invitation::Column::Email)
        .limit(limit + 1);
    if let Some(cursor) = cursor {
        query = query.filter(invitation::Column::Email.gt(cursor.key::<String>()?));
    }
    let rows = query.all(tx).await?;
    Ok(Page::of(rows, limit, |one| one.email.clone()))
}

pub(super) async fn create(
    tx: &TenantTx,
    reach: &Reach,
    new: &NewInvitation,
    life: Duration,
    now: OffsetDateTime,
) -> Result<(invitation::Model, InvitationToken), TeamError> {
    let branch_id = reach.place(new.branch_id)?;
    new.assignment.must_be_covered(tx, reach).await?;
    if is_member(tx, &new.email).await? {
        return Err(TeamError::EmailTaken);
    }
    let invited = Invited {
        email: new.email.clone(),
        name: new.name.clone(),
        role: new.assignment.role,
        role_id: new.assignment.role_id,
        branch_id,
        by: Some(reach.person().id),
    };
    Ok(offer(tx, &invited, life, now).await?)
}

pub(super) async fn resend(
    tx: &TenantTx,
    reach: &Reach,
    id: Uuid,
    life: Duration,
    now: OffsetDateTime,
) -> Result<(invitation::Model, InvitationToken), TeamError> {
    let invitation = find_locked(tx, reach, id).await?;
    let assignment = Assignment {
        role: invitation.role,
        role_id: invitation.role_id,
    };
    assignment.must_be_covered(tx, reach).await?;
    Ok(renew(tx, invitation, life, now).await?)
}

pub(super) async fn revoke(
    tx: &TenantTx,
    reach: &Reach,
    id: Uuid,
    now: OffsetDateTime,
) -> Result<invitation::Model, TeamError> {
    let invitation = find_locked(tx, reach, id).await?;
    let next = invitation.version + 1;
    let mut revoked = invitation.into_active_model();
    revoked.revoked_at = Set(Some(now));
    revoked.updated_at = Set(now);
    revoked.version = Set(next);
    Ok(revoked.update(tx).await?)
}

/// The invitation that a token is good for.
pub(super) async fn of_token(
    tx: &TenantTx,
    token: &InvitationToken,
    now: OffsetDateTime,
) -> Result<invitation::Model, TeamError> {
    let found = standing(token, now).one(tx).await?;
    found.ok_or(TeamError::TokenInvalid)
}

/// Makes a member of whoever holds the token. It came with a message to the address, so the address
/// is proven.
pub(super) async fn accept(
    tx: &TenantTx,
    token: &InvitationToken,
    newcomer: &Newcomer,
    now: OffsetDateTime,
) -> Result<member::Model, TeamError> {
    let found = standing(token, now).lock_exclusive().one(tx).await?;
    let invitation = found.ok_or(TeamError::TokenInvalid)?;
    let said = newcomer.name.clone();
    let known = Some(invitation.name.clone()).filter(|name| !name.is_empty());
    let name = said.or(known).unwrap_or_else(|| invitation.email.clone());
    let member = member::ActiveModel {
        id: Set(Uuid::now_v7()),
        email: Set(invitation.email.clone()),
        name: Set(name),
        role: Set(invitation.role),
        status: Set(member::Status::Active),
        password_hash: Set(Some(newcomer.password_hash.clone())),
        token_version: Set(0),
        email_verified_at: Set(Some(now)),
        password_changed_at: Set(Some(now)),
        last_sign_in_at: Set(Some(now)),
        mail_bounced_at: Set(None),
        branch_id: Set(invitation.branch_id),
        role_id: Set(invitation.role_id),
        version: Set(1),
        created_at: Set(now),
        updated_at: Set(now),
    };
    let member = member.insert(tx).await?;
    let next = invitation.version + 1;
    let mut accepted = invitation.into_active_model();
    accepted.accepted_at = Set(Some(now));
    accepted.updated_at = Set(now);
    accepted.version = Set(next);
    accepted.update(tx).await?;
    epoch::bump(tx).await?;
    Ok(member)
}

async fn is_member(tx: &TenantTx, email: &Email) -> Result<bool, TeamError> {
    let by_email = member::Column::Email.eq(email.as_str());
    let found = member::Entity::find().filter(by_email).one(tx).await?;
    Ok(found.is_some())
}

fn standing(token: &InvitationToken, now: OffsetDateTime) -> sea_orm::Select<invitation::Entity> {
    invitation::Entity::find()
        .filter(invitation::Column::TokenHash.eq(token.hash()))
        .filter(invitation::Column::AcceptedAt.is_null())
        .filter(invitation::Column::RevokedAt.is_null())
        .filter(invitation::Column::ExpiresAt.gt(now))
}

/// Those that stand or have merely run out, within reach.
fn open(reach: &Reach) -> Result<Condition, TeamError> {
    let only = reach.only_branch()?;
    Ok(Condition::all()
        .add(invitation::Column::AcceptedAt.is_null())
        .add(invitation::Column::RevokedAt.is_null())
        .add_option(only.map(|branch| invitation::Column::BranchId.eq(branch))))
}

async fn find_locked(
    tx: &TenantTx,
    reach: &Reach,
    id: Uuid,
) -> Result<invitation::Model, TeamError> {
    let found = invitation::Entity::find_by_id(id)
        .filter(open(reach)?)
        .lock_exclusive()
        .one(tx)
        .await?;
    found.ok_or(TeamError::InvitationNotFound)
}
