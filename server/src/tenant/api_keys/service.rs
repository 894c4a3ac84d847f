//! Use cases of API keys.

use ::entity::tenant::api_key::{self, Entity, Model};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect,
};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::error::KeyError;
use crate::auth::{ApiKeyText, Principal, Sealer, epoch};
use crate::db::TenantTx;
use crate::kernel::{Cursor, Page, Patch, Revised};

/// A key to be.
#[derive(Debug, Clone)]
pub(super) struct NewKey {
    pub name: String,
    pub permissions: Vec<String>,
    pub addresses: Vec<String>,
    pub per_minute: Option<i32>,
    pub expires_at: Option<OffsetDateTime>,
}

/// What is to change about a key. What it may do never changes.
#[derive(Debug, Clone)]
pub(super) struct KeyChange {
    pub name: Option<String>,
    pub addresses: Option<Vec<String>>,
    pub per_minute: Patch<i32>,
}

/// A key that was just made, and its text, to be shown once.
#[derive(Debug)]
pub(super) struct Made {
    pub key: Model,
    pub text: ApiKeyText,
}

/// Whoever makes keys, and what hashes them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Maker<'a> {
    pub principal: &'a Principal,
    pub sealer: &'a Sealer,
}

/// A key and its successor.
#[derive(Debug)]
pub(super) struct Rotated {
    pub old: Revised<Model>,
    pub made: Made,
}

/// All keys, the newest first.
pub(super) async fn list(
    tx: &TenantTx,
    limit: u64,
    cursor: Option<Cursor>,
) -> Result<Page<Model>, KeyError> {
    let mut query = Entity::find()
        .order_by_desc(api_key::Column::Id)
        .limit(limit + 1);
    if let Some(cursor) = cursor {
        query = query.filter(api_key::Column::Id.lt(cursor.key::<Uuid>()?));
    }
    Ok(Page::of(query.all(tx).await?, limit, |key| key.id))
}

pub(super) async fn find(tx: &TenantTx, id: Uuid) -> Result<Model, KeyError> {
    let key = Entity::find_by_id(id).one(tx).await?;
    key.ok_or(KeyError::NotFound)
}

/// Makes a key for whoever asks. It is given nothing that they don't hold.
pub(super) async fn create(
    tx: &TenantTx,
    new: &NewKey,
    maker: Maker<'_>,
    now: OffsetDateTime,
) -> Result<Made, KeyError> {
    insert(tx, new, None, maker, now).await
}

pub(super) async fn change(
    tx: &TenantTx,
    id: Uuid,
    expected: Option<i64>,
    change: &KeyChange,
    now: OffsetDateTime,
) -> Result<Revised<Model>, KeyError> {
    let before = find_locked(tx, id, expected).await?;
    let mut changed = touched(before.clone(), now);
    if let Some(name) = &change.name {
        changed.name = Set(name.clone());
    }
    if let Some(addresses) = &change.addresses {
        changed.addresses = Set(addresses.clone());
    }
    changed.per_minute = Set(change.per_minute.clone().over(before.per_minute));
    let after = changed.update(tx).await?;
    epoch::bump(tx).await?;
    Ok(Revised { before, after })
}

/// Revokes a key, everywhere within a second. It stays in the list; doing so twice changes nothing.
pub(super) async fn revoke(
    tx: &TenantTx,
    id: Uuid,
    expected: Option<i64>,
    now: OffsetDateTime,
) -> Result<Revised<Model>, KeyError> {
    let before = find_locked(tx, id, expected).await?;
    if before.revoked_at.is_some() {
        let after = before.clone();
        return Ok(Revised { before, after });
    }
    let mut revoked = touched(before.clone(), now);
    revoked.revoked_at = Set(Some(now));
    let after = revoked.update(tx).await?;
    epoch::bump(tx).await?;
    Ok(Revised { before, after })
}

/// Makes a successor that may do the same, and has the old key end once both were good for a while.
///
/// The successor belongs to whoever asks, for they get to see it: they must hold what it may do. It
/// lives as long as the old one was meant to.
pub(super) async fn rotate(
    tx: &TenantTx,
    id: Uuid,
    overlap: Duration,
    maker: Maker<'_>,
    now: OffsetDateTime,
) -> Result<Rotated, KeyError> {
    let before = find_locked(tx, id, None).await?;
    let is_over = before.expires_at.is_some_and(|end| end <= now);
    if before.revoked_at.is_some() || is_over {
        return Err(KeyError::Ended);
    }
    let new = NewKey {
        name: before.name.clone(),
        permissions: before.permissions.clone(),
        addresses: before.addresses.clone(),
        per_minute: before.per_minute,
        expires_at: before.expires_at.map(|end| now + (end - before.created_at)),
    };
    let made = insert(tx, &new, Some(id), maker, now).await?;
    let ends = now + overlap;
    let ends = before.expires_at.map_or(ends, |end| end.min(ends));
    let mut ending = touched(before.clone(), now);
    ending.expires_at = Set(Some(ends));
    let after = ending.update(tx).await?;
    epoch::bump(tx).await?;
    Ok(Rotated {
        old: Revised { before, after },
        made,
    })
}

async fn insert(
    tx: &TenantTx,
    new: &NewKey,
    replaces: Option<Uuid>,
    maker: Maker<'_>,
    now: OffsetDateTime,
) -> Result<Made, KeyError> {
    let own = &maker.principal.grants;
    if let Some(name) = new.permissions.iter().find(|name| !own.allow(name)) {
        return Err(KeyError::TooWide(name.clone()));
    }
    let id = Uuid::now_v7();
    let text = ApiKeyText::generate(id)?;
    let key = api_key::ActiveModel {
        id: Set(id),
        name: Set(new.name.clone()),
        member_id: Set(maker.principal.person.id),
        secret_hash: Set(text.hash(maker.sealer)),
        permissions: Set(new.permissions.clone()),
        addresses: Set(new.addresses.clone()),
        per_minute: Set(new.per_minute),
        replaces: Set(replaces),
        version: Set(1),
        created_at: Set(now),
        updated_at: Set(now),
        expires_at: Set(new.expires_at),
        revoked_at: Set(None),
        last_used_at: Set(None),
        last_used_from: Set(None),
    };
    let key = key.insert(tx).await?;
    Ok(Made { key, text })
}

fn touched(key: Model, now: OffsetDateTime) -> api_key::ActiveModel {
    let next = key.version + 1;
    let mut active = key.into_active_model();
    active.version = Set(next);
    active.updated_at = Set(now);
    active
}

async fn find_locked(tx: &TenantTx, id: Uuid, expected: Option<i64>) -> Result<Model, KeyError> {
    let key = Entity::find_by_id(id).lock_exclusive().one(tx).await?;
    let key = key.ok_or(KeyError::NotFound)?;
    match expected {
        Some(version) if version != key.version => Err(KeyError::Changed(key.version)),
        _ => Ok(key),
    }
}
