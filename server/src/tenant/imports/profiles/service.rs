//! Use cases of import profiles.

use ::entity::tenant::import_profile::{self, Entity, Model};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, DbErr, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder, QuerySelect,
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::super::error::ImportError;
use super::super::model::Options;
use super::super::pricefile::Mapping;
use crate::db::TenantTx;
use crate::kernel::{Cursor, Page, Revised};

/// A profile, read.
#[derive(Debug, Clone)]
pub struct Profile {
    pub row: Model,
    pub mapping: Mapping,
    pub options: Options,
}

/// What a profile is to be; what is left out stays.
#[derive(Debug, Clone, Default)]
pub(super) struct ProfileChange {
    pub name: Option<String>,
    pub mapping: Option<Mapping>,
    pub options: Option<Options>,
}

impl TryFrom<Model> for Profile {
    type Error = DbErr;

    fn try_from(row: Model) -> Result<Self, DbErr> {
        let unreadable = |error: serde_json::Error| DbErr::Json(error.to_string());
        Ok(Self {
            mapping: serde_json::from_value(row.mapping.clone()).map_err(unreadable)?,
            options: serde_json::from_value(row.options.clone()).map_err(unreadable)?,
            row,
        })
    }
}

/// The profile that a file comes with, if it does with one.
pub async fn chosen(tx: &TenantTx, id: Option<Uuid>) -> Result<Option<Profile>, ImportError> {
    match id {
        Some(id) => find(tx, id).await.map(Some),
        None => Ok(None),
    }
}

pub(super) async fn list(
    tx: &TenantTx,
    limit: u64,
    cursor: Option<Cursor>,
) -> Result<Page<Profile>, ImportError> {
    let mut query = Entity::find()
        .order_by_asc(import_profile::Column::Name)
        .limit(limit + 1);
    if let Some(cursor) = cursor {
        query = query.filter(import_profile::Column::Name.gt(cursor.key::<String>()?));
    }
    let rows = query.all(tx).await?.into_iter();
    let profiles = rows.map(Profile::try_from).collect::<Result<_, _>>()?;
    Ok(Page::of(profiles, limit, |profile: &Profile| {
        profile.row.name.clone()
    }))
}

pub(super) async fn find(tx: &TenantTx, id: Uuid) -> Result<Profile, ImportError> {
    let row = Entity::find_by_id(id).one(tx).await?;
    Ok(row.ok_or(ImportError::ProfileNotFound)?.try_into()?)
}

pub(super) async fn create(
    tx: &TenantTx,
    name: &str,
    mapping: &Mapping,
    options: &Options,
    now: OffsetDateTime,
) -> Result<Profile, ImportError> {
    let new = import_profile::ActiveModel {
        id: Set(Uuid::now_v7()),
        name: Set(name.to_owned()),
        mapping: Set(plain(mapping)),
        options: Set(plain(options)),
        version: Set(1),
        created_at: Set(now),
        updated_at: Set(now),
    };
    Ok(new.insert(tx).await?.try_into()?)
}

pub(super) async fn change(
    tx: &TenantTx,
    id: Uuid,
    expected: Option<i64>,
    change: &ProfileChange,
    now: OffsetDateTime,
) -> Result<Revised<Profile>, ImportError> {
    let before = find_locked(tx, id, expected).await?;
    let mut changed = before.clone().into_active_model();
    if let Some(name) = &change.name {
        changed.name = Set(name.clone());
    }
    if let Some(mapping) = &change.mapping {
        changed.mapping = Set(plain(mapping));
    }
    if let Some(options) = &change.options {
        changed.options = Set(plain(options));
    }
    changed.version = Set(before.version + 1);
    changed.updated_at = Set(now);
    let after = changed.update(tx).await?;
    Ok(Revised {
        before: before.try_into()?,
        after: after.try_into()?,
    })
}

/// Removes a profile. Its imports stay, and which items came with it is forgotten.
pub(super) async fn remove(
    tx: &TenantTx,
    id: Uuid,
    expected: Option<i64>,
) -> Result<Profile, ImportError> {
    let removed = find_locked(tx, id, expected).await?;
    Entity::delete_by_id(id).exec(tx).await?;
    Ok(removed.try_into()?)
}

async fn find_locked(tx: &TenantTx, id: Uuid, expected: Option<i64>) -> Result<Model, ImportError> {
    let row = Entity::find_by_id(id).lock_exclusive().one(tx).await?;
    let row = row.ok_or(ImportError::ProfileNotFound)?;
    match expected {
        Some(version) if version != row.version => Err(ImportError::Changed(row.version)),
        _ => Ok(row),
    }
}

fn plain(value: &impl serde::Serialize) -> serde_json::Value {
    serde_json::to_value(value).expect("what is kept of a profile is made of plain values")
}
