//! Use cases of teams.

use ::entity::tenant::team::{self, Entity, Model};
use ::entity::tenant::{branch, member, team_member};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder, QuerySelect, QueryTrait,
};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::auth::epoch;
use crate::db::TenantTx;
use crate::kernel::{Cursor, Page, Patch, Revised};
use crate::tenant::organisation::OrganisationError;
use crate::tenant::organisation::error::expect_version;

/// A team to be.
#[derive(Debug, Clone)]
pub(super) struct NewTeam {
    pub name: String,
    pub branch_id: Option<Uuid>,
}

/// What is to change about a team.
#[derive(Debug, Clone)]
pub(super) struct TeamChange {
    pub name: Option<String>,
    pub branch_id: Patch<Uuid>,
}

pub(super) async fn list(
    tx: &TenantTx,
    limit: u64,
    cursor: Option<Cursor>,
) -> Result<Page<Model>, OrganisationError> {
    let mut query = Entity::find()
        .order_by_asc(team::Column::Name)
        .limit(limit + 1);
    if let Some(cursor) = cursor {
        query = query.filter(team::Column::Name.gt(cursor.key::<String>()?));
    }
    let rows = query.all(tx).await?;
    Ok(Page::of(rows, limit, |team| team.name.clone()))
}

pub(super) async fn find(tx: &TenantTx, id: Uuid) -> Result<Model, OrganisationError> {
    let team = Entity::find_by_id(id).one(tx).await?;
    team.ok_or(OrganisationError::TeamNotFound)
}

pub(super) async fn create(
    tx: &TenantTx,
    new: &NewTeam,
    now: OffsetDateTime,
) -> Result<Model, OrganisationError> {
    expect_branch(tx, new.branch_id).await?;
    let new = team::ActiveModel {
        id: Set(Uuid::now_v7()),
        branch_id: Set(new.branch_id),
        name: Set(new.name.clone()),
        version: Set(1),
        created_at: Set(now),
        updated_at: Set(now),
    };
    Ok(new.insert(tx).await?)
}

pub(super) async fn change(
    tx: &TenantTx,
    id: Uuid,
    expected: Option<i64>,
    change: &TeamChange,
    now: OffsetDateTime,
) -> Result<Revised<Model>, OrganisationError> {
    let before = find_locked(tx, id, expected).await?;
    expect_branch(tx, change.branch_id.as_set().copied()).await?;
    let mut changed = before.clone().into_active_model();
    if let Some(name) = &change.name {
        changed.name = Set(name.clone());
    }
    changed.branch_id = Set(change.branch_id.clone().over(before.branch_id));
    changed.version = Set(before.version + 1);
    changed.updated_at = Set(now);
    let after = changed.update(tx).await?;
    Ok(Revised { before, after })
}

/// Removes a team; its members stay, and what reached over it reaches them no more.
pub(super) async fn remove(
    tx: &TenantTx,
    id: Uuid,
    expected: Option<i64>,
) -> Result<Model, OrganisationError> {
    let removed = find_locked(tx, id, expected).await?;
    Entity::delete_by_id(id).exec(tx).await?;
    epoch::bump(tx).await?;
    Ok(removed)
}

/// The team's members among those whom `seen` holds for, by their addresses.
pub(super) async fn members(
    tx: &TenantTx,
    id: Uuid,
    seen: Condition,
    (limit, cursor): (u64, Option<Cursor>),
) -> Result<Page<member::Model>, OrganisationError> {
    find(tx, id).await?;
    let inside = team_member::Entity::find()
        .select_only()
        .column(team_member::Column::MemberId)
        .filter(team_member::Column::TeamId.eq(id));
    let mut query = member::Entity::find()
        .filter(member::Column::Id.in_subquery(inside.into_query()))
        .filter(seen)
        .order_by_asc(member::Column::Email)
        .limit(limit + 1);
    if let Some(cursor) = cursor {
        query = query.filter(member::Column::Email.gt(cursor.key::<String>()?));
    }
    let rows = query.all(tx).await?;
    Ok(Page::of(rows, limit, |member| member.email.clone()))
}

/// Takes a member into a team. Doing so twice changes nothing.
pub(super) async fn take_in(
    tx: &TenantTx,
    team: Uuid,
    member: Uuid,
) -> Result<(), OrganisationError> {
    // Locked, so that it can't be removed beside this.
    find_locked(tx, team, None).await?;
    let is_there = member::Entity::find_by_id(member).one(tx).await?.is_some();
    if !is_there {
        return Err(OrganisationError::MemberNotFound);
    }
    let place = team_member::ActiveModel {
        team_id: Set(team),
        member_id: Set(member),
    };
    let keys = [team_member::Column::TeamId, team_member::Column::MemberId];
    team_member::Entity::insert(place)
        .on_conflict(OnConflict::columns(keys).do_nothing().to_owned())
        .exec_without_returning(tx)
        .await?;
    epoch::bump(tx).await?;
    Ok(())
}

/// Takes a member out of a team.
pub(super) async fn take_out(
    tx: &TenantTx,
    team: Uuid,
    member: Uuid,
) -> Result<(), OrganisationError> {
    find_locked(tx, team, None).await?;
    let place = team_member::Entity::delete_by_id((team, member));
    if place.exec(tx).await?.rows_affected == 0 {
        return Err(OrganisationError::MemberNotFound);
    }
    epoch::bump(tx).await?;
    Ok(())
}

async fn expect_branch(tx: &TenantTx, branch: Option<Uuid>) -> Result<(), OrganisationError> {
    let Some(id) = branch else {
        return Ok(());
    };
    // Shared, so that it can't be removed before this is done.
    let found = branch::Entity::find_by_id(id).lock_shared().one(tx).await?;
    found
        .map(|_| ())
        .ok_or(OrganisationError::UnknownBranch(id))
}

async fn find_locked(
    tx: &TenantTx,
    id: Uuid,
    expected: Option<i64>,
) -> Result<Model, OrganisationError> {
    let team = Entity::find_by_id(id).lock_exclusive().one(tx).await?;
    let team = team.ok_or(OrganisationError::TeamNotFound)?;
    expect_version(expected, team.version)?;
    Ok(team)
}
