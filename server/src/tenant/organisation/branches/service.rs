//! Use cases of branches.

use ::entity::tenant::branch::{self, Entity, Model};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect,
};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::auth::epoch;
use crate::db::TenantTx;
use crate::kernel::{Cursor, Page, Revised};
use crate::tenant::organisation::OrganisationError;
use crate::tenant::organisation::error::expect_version;

pub(super) async fn list(
    tx: &TenantTx,
    limit: u64,
    cursor: Option<Cursor>,
) -> Result<Page<Model>, OrganisationError> {
    let mut query = Entity::find()
        .order_by_asc(branch::Column::Name)
        .limit(limit + 1);
    if let Some(cursor) = cursor {
        query = query.filter(branch::Column::Name.gt(cursor.key::<String>()?));
    }
    let rows = query.all(tx).await?;
    Ok(Page::of(rows, limit, |branch| branch.name.clone()))
}

pub(super) async fn find(tx: &TenantTx, id: Uuid) -> Result<Model, OrganisationError> {
    let branch = Entity::find_by_id(id).one(tx).await?;
    branch.ok_or(OrganisationError::BranchNotFound)
}

pub(super) async fn create(
    tx: &TenantTx,
    name: &str,
    now: OffsetDateTime,
) -> Result<Model, OrganisationError> {
    let new = branch::ActiveModel {
        id: Set(Uuid::now_v7()),
        name: Set(name.to_owned()),
        version: Set(1),
        created_at: Set(now),
        updated_at: Set(now),
    };
    Ok(new.insert(tx).await?)
}

pub(super) async fn rename(
    tx: &TenantTx,
    id: Uuid,
    expected: Option<i64>,
    name: Option<&str>,
    now: OffsetDateTime,
) -> Result<Revised<Model>, OrganisationError> {
    let before = find_locked(tx, id, expected).await?;
    let mut changed = before.clone().into_active_model();
    if let Some(name) = name {
        changed.name = Set(name.to_owned());
    }
    changed.version = Set(before.version + 1);
    changed.updated_at = Set(now);
    let after = changed.update(tx).await?;
    Ok(Revised { before, after })
}

/// Removes a branch that nobody belongs to.
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

async fn find_locked(
    tx: &TenantTx,
    id: Uuid,
    expected: Option<i64>,
) -> Result<Model, OrganisationError> {
    let branch = Entity::find_by_id(id).lock_exclusive().one(tx).await?;
    let branch = branch.ok_or(OrganisationError::BranchNotFound)?;
    expect_version(expected, branch.version)?;
    Ok(branch)
}
