//! Use cases of members.

use ::entity::tenant::member::{self, Column, Entity, Model, Role, Status};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect,
};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::auth::{end_all_sessions, epoch, one_time};
use crate::db::TenantTx;
use crate::kernel::{Cursor, Page, Patch, Revised};
use crate::tenant::team::assignment::Assignment;
use crate::tenant::team::error::{TeamError, expect_version};
use crate::tenant::team::reach::Reach;

/// What is to change about a member.
#[derive(Debug, Clone)]
pub(in crate::tenant::team) struct MemberChange {
    pub name: Option<String>,
    pub role: Option<Role>,
    pub role_id: Patch<Uuid>,
    pub branch_id: Patch<Uuid>,
}

pub(in crate::tenant::team) async fn list(
    tx: &TenantTx,
    reach: &Reach,
    limit: u64,
    cursor: Option<Cursor>,
) -> Result<Page<Model>, TeamError> {
    let mut query = Entity::find()
        .filter(reach.members())
        .order_by_asc(Column::Email)
        .limit(limit + 1);
    if let Some(cursor) = cursor {
        query = query.filter(Column::Email.gt(cursor.key::<String>()?));
    }
    let rows = query.all(tx).await?;
    Ok(Page::of(rows, limit, |member| member.email.clone()))
}

pub(in crate::tenant::team) async fn find(
    tx: &TenantTx,
    reach: &Reach,
    id: Uuid,
) -> Result<Model, TeamError> {
    let within = Entity::find_by_id(id).filter(reach.members());
    within.one(tx).await?.ok_or(TeamError::MemberNotFound)
}

pub(in crate::tenant::team) async fn change(
    tx: &TenantTx,
    reach: &Reach,
    (id, expected): (Uuid, Option<i64>),
    change: &MemberChange,
    now: OffsetDateTime,
) -> Result<Revised<Model>, TeamError> {
    let before = find_to_change(tx, reach, id).await?;
    expect_version(expected, before.version)?;
    let assignment = assigned(&before, change);
    assignment.must_be_covered(tx, reach).await?;
    let branch_id = change.branch_id.clone().over(before.branch_id);
    if branch_id != before.branch_id
        && let Some(only) = reach.only_branch()?
        && branch_id != Some(only)
    {
        return Err(TeamError::OutOfReach);
    }
    if assignment != Assignment::of(&before) && is_owner(&before) {
        must_leave_an_owner(tx, id).await?;
    }
    let mut changed = before.clone().into_active_model();
    if let Some(name) = &change.name {
        changed.name = Set(name.clone());
    }
    changed.role = Set(assignment.role);
    changed.role_id = Set(assignment.role_id);
    changed.branch_id = Set(branch_id);
    changed.version = Set(before.version + 1);
    changed.updated_at = Set(now);
    let after = changed.update(tx).await?;
    epoch::bump(tx).await?;
    Ok(Revised { before, after })
}

/// Shuts somebody out: their sessions end, and what they were ever issued is void. Their API keys
/// stop with them, and work again should they come back.
pub(in crate::tenant::team) async fn deactivate(
    tx: &TenantTx,
    reach: &Reach,
    id: Uuid,
    now: OffsetDateTime,
) -> Result<Revised<Model>, TeamError> {
    let before = find_to_change(tx, reach, id).await?;
    if before.status == Status::Disabled {
        let after = before.clone();
        return Ok(Revised { before, after });
    }
    if is_owner(&before) {
        must_leave_an_owner(tx, id).await?;
    }
    let mut changed = before.clone().into_active_model();
    changed.status = Set(Status::Disabled);
    changed.token_version = Set(before.token_version + 1);
    changed.version = Set(before.version + 1);
    changed.updated_at = Set(now);
    let after = changed.update(tx).await?;
    one_time::void(tx, id, &[], now).await?;
    end_all_sessions(tx, id, None, "member_deactivated", now).await?;
    Ok(Revised { before, after })
}

/// Lets somebody in again; they sign in anew.
pub(in crate::tenant::team) async fn reactivate(
    tx: &TenantTx,
    reach: &Reach,
    id: Uuid,
    now: OffsetDateTime,
) -> Result<Revised<Model>, TeamError> {
    let before = find_to_change(tx, reach, id).await?;
    let mut changed = before.clone().into_active_model();
    changed.status = Set(Status::Active);
    changed.version = Set(before.version + 1);
    changed.updated_at = Set(now);
    let after = changed.update(tx).await?;
    epoch::bump(tx).await?;
    Ok(Revised { before, after })
}

/// Somebody within reach who holds no more than whoever asks, held until the transaction ends.
async fn find_to_change(tx: &TenantTx, reach: &Reach, id: Uuid) -> Result<Model, TeamError> {
    let seen = find(tx, reach, id).await?;
    if is_owner(&seen) {
        // First all owners, in one order: two who change each other don't wait for each other.
        owners_locked(tx).await?;
    }
    let within = Entity::find_by_id(id).filter(reach.members());
    let member = within.lock_exclusive().one(tx).await?;
    let member = member.ok_or(TeamError::MemberNotFound)?;
    Assignment::of(&member).must_be_covered(tx, reach).await?;
    Ok(member)
}

fn assigned(member: &Model, change: &MemberChange) -> Assignment {
    let kept = Assignment::of(member);
    match (&change.role_id, change.role) {
        (Patch::Set(own), _) => Assignment::own(*own),
        (Patch::Clear, None) => Assignment::built_in(kept.role),
        (Patch::Keep | Patch::Clear, Some(role)) => Assignment::built_in(role),
        (Patch::Keep, None) => kept,
    }
}

impl Assignment {
    fn of(member: &Model) -> Self {
        Self {
            role: member.role,
            role_id: member.role_id,
        }
    }
}

/// Whether somebody is one of those whom the team can't all lose.
fn is_owner(member: &Model) -> bool {
    member.role == Role::Owner && member.role_id.is_none() && member.status == Status::Active
}

async fn must_leave_an_owner(tx: &TenantTx, leaving: Uuid) -> Result<(), TeamError> {
    let owners = owners_locked(tx).await?;
    if owners.iter().any(|owner| *owner != leaving) {
        Ok(())
    } else {
        Err(TeamError::LastOwner)
    }
}

/// All owners who can sign in, held until the transaction ends. Whoever waited here sees who is
/// left by then.
async fn owners_locked(tx: &TenantTx) -> Result<Vec<Uuid>, TeamError> {
    let owners = Entity::find()
        .filter(Column::Role.eq(Role::Owner))
        .filter(Column::RoleId.is_null())
        .filter(Column::Status.eq(Status::Active))
        .order_by_asc(Column::Id)
        .lock_exclusive();
    let owners: Vec<member::Model> = owners.all(tx).await?;
    Ok(owners.into_iter().map(|owner| owner.id).collect())
}
