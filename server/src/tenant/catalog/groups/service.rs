//! Use cases of item groups.

use ::entity::tenant::item_group::{self, Entity, Model};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel, QuerySelect};
use time::OffsetDateTime;
use uuid::Uuid;

use super::store::{self, GroupRow};
use crate::db::{Failure, TenantTx, failure_of};
use crate::kernel::{Cursor, Page, Patch};
use crate::tenant::catalog::CatalogError;
use crate::tenant::catalog::error::expect_version;

/// What is to change about a group.
#[derive(Debug, Clone)]
pub(super) struct GroupChange {
    pub name: Option<String>,
    pub parent_id: Patch<Uuid>,
}

pub(super) async fn list(
    tx: &TenantTx,
    parent: Option<Uuid>,
    limit: u64,
    cursor: Option<Cursor>,
) -> Result<Page<GroupRow>, CatalogError> {
    let after = cursor
        .map(|cursor| cursor.key::<Vec<String>>())
        .transpose()?;
    let rows = store::list(tx, parent, after, limit + 1).await?;
    Ok(Page::of(rows, limit, |group| group.path.clone()))
}

pub(super) async fn find(tx: &TenantTx, id: Uuid) -> Result<GroupRow, CatalogError> {
    store::find(tx, id)
        .await?
        .ok_or(CatalogError::GroupNotFound)
}

pub(super) async fn create(
    tx: &TenantTx,
    name: &str,
    parent_id: Option<Uuid>,
    now: OffsetDateTime,
) -> Result<GroupRow, CatalogError> {
    let id = Uuid::now_v7();
    let group = item_group::ActiveModel {
        id: Set(id),
        parent_id: Set(parent_id),
        name: Set(name.to_owned()),
        version: Set(1),
        created_at: Set(now),
        updated_at: Set(now),
    };
    group
        .insert(tx)
        .await
        .map_err(|error| with_parent(error, parent_id))?;
    find(tx, id).await
}

pub(super) async fn change(
    tx: &TenantTx,
    id: Uuid,
    expected: Option<i64>,
    change: &GroupChange,
    now: OffsetDateTime,
) -> Result<(Model, GroupRow), CatalogError> {
    if change.parent_id != Patch::Keep {
        store::one_move_at_a_time(tx).await?;
    }
    let group = find_locked(tx, id, expected).await?;
    let before = group.clone();
    let next = group.version + 1;
    let parent_id = change.parent_id.clone().over(group.parent_id);
    if let Some(parent) = change.parent_id.as_set()
        && store::lies_within(tx, *parent, id).await?
    {
        return Err(CatalogError::GroupCycle);
    }
    let mut changed = group.into_active_model();
    if let Some(name) = &change.name {
        changed.name = Set(name.clone());
    }
    changed.parent_id = Set(parent_id);
    changed.version = Set(next);
    changed.updated_at = Set(now);
    changed
        .update(tx)
        .await
        .map_err(|error| with_parent(error, parent_id))?;
    Ok((before, find(tx, id).await?))
}

pub(super) async fn delete(
    tx: &TenantTx,
    id: Uuid,
    expected: Option<i64>,
) -> Result<Model, CatalogError> {
    let removed = find_locked(tx, id, expected).await?;
    match Entity::delete_by_id(id).exec(tx).await {
        Ok(_) => Ok(removed),
        Err(error) => match failure_of(&error) {
            Failure::Constraint(_) => Err(CatalogError::GroupNotEmpty),
            _ => Err(error.into()),
        },
    }
}

async fn find_locked(
    tx: &TenantTx,
    id: Uuid,
    expected: Option<i64>,
) -> Result<Model, CatalogError> {
    let group = Entity::find_by_id(id)
        .lock_exclusive()
        .one(tx)
        .await?
        .ok_or(CatalogError::GroupNotFound)?;
    expect_version(expected, group.version)?;
    Ok(group)
}

/// A broken foreign key here can only be the parent's.
fn with_parent(error: sea_orm::DbErr, parent_id: Option<Uuid>) -> CatalogError {
    match (failure_of(&error), parent_id) {
        (Failure::Constraint(name), Some(parent)) if name == "item_group_parent_id_fkey" => {
            CatalogError::UnknownParent(parent)
        }
        _ => error.into(),
    }
}
