//! Use cases of notifications.

use std::collections::BTreeMap;

use ::entity::tenant::notification::{Column, Entity, Model};
use ::entity::tenant::notification_preference as preference;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, DbErr, EntityTrait, IntoActiveModel,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Select,
};
use serde_json::json;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::error::NotificationError;
use super::kind::Choice;
use super::store::Preferences;
use crate::db::{Failure, TenantTx, failure_of};
use crate::kernel::{Cursor, Page};
use crate::mail::Language;

/// How long somebody can read what they were told.
const KEPT: Duration = Duration::days(90);

/// Which notifications are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    All,
    Unread,
}

/// How a member wants to be told from now on.
#[derive(Debug)]
pub(super) struct NewPreferences {
    pub language: Option<Language>,
    pub choices: BTreeMap<String, Choice>,
}

/// A member's own, the newest first.
pub(super) async fn list(
    tx: &TenantTx,
    member: Uuid,
    which: Which,
    limit: u64,
    cursor: Option<Cursor>,
) -> Result<Page<Model>, NotificationError> {
    let mut query = shown_to(member).order_by_desc(Column::Id).limit(limit + 1);
    if which == Which::Unread {
        query = query.filter(Column::ReadAt.is_null());
    }
    if let Some(cursor) = cursor {
        query = query.filter(Column::Id.lt(cursor.key::<Uuid>()?));
    }
    let rows = query.all(tx).await?;
    Ok(Page::of(rows, limit, |row| row.id))
}

/// How many a member has not read.
pub(super) async fn unread(tx: &TenantTx, member: Uuid) -> Result<u64, NotificationError> {
    let unread = shown_to(member).filter(Column::ReadAt.is_null());
    Ok(unread.count(tx).await?)
}

/// A member has read one. What was read before stays read since then.
pub(super) async fn read(
    tx: &TenantTx,
    (member, id): (Uuid, Uuid),
    now: OffsetDateTime,
) -> Result<Model, NotificationError> {
    let found = shown_to(member)
        .filter(Column::Id.eq(id))
        .lock_exclusive()
        .one(tx)
        .await?
        .ok_or(NotificationError::NotFound)?;
    if found.read_at.is_some() {
        return Ok(found);
    }
    let mut read = found.into_active_model();
    read.read_at = Set(Some(now));
    Ok(read.update(tx).await?)
}

/// A member has read all that there is. Answers how many of them were new.
pub(super) async fn read_all(
    tx: &TenantTx,
    member: Uuid,
    now: OffsetDateTime,
) -> Result<u64, NotificationError> {
    let read = Entity::update_many()
        .col_expr(Column::ReadAt, Expr::value(now))
        .filter(Column::MemberId.eq(member))
        .filter(Column::InApp.eq(true))
        .filter(Column::ReadAt.is_null())
        .exec(tx)
        .await?;
    Ok(read.rows_affected)
}

fn shown_to(member: Uuid) -> Select<Entity> {
    Entity::find()
        .filter(Column::MemberId.eq(member))
        .filter(Column::InApp.eq(true))
}

/// How a member wants to be told.
pub(super) async fn preferences(
    tx: &TenantTx,
    member: Uuid,
) -> Result<Preferences, NotificationError> {
    let row = preference::Entity::find_by_id(member).one(tx).await?;
    Ok(row.map(Preferences::from).unwrap_or_default())
}

/// Puts other preferences in place; returns what they were and what they are.
pub(super) async fn replace_preferences(
    tx: &TenantTx,
    (member, expected): (Uuid, Option<i64>),
    new: &NewPreferences,
    now: OffsetDateTime,
) -> Result<(Preferences, Preferences), NotificationError> {
    let current = preference::Entity::find_by_id(member)
        .lock_exclusive()
        .one(tx)
        .await?;
    let before = current.clone().map(Preferences::from).unwrap_or_default();
    if expected.is_some_and(|version| version != before.version) {
        return Err(NotificationError::Changed(before.version));
    }
    let language = new.language.map(|language| language.code().to_owned());
    let row = preference::ActiveModel {
        member_id: Set(member),
        language: Set(language),
        choices: Set(json!(new.choices)),
        version: Set(before.version + 1),
        updated_at: Set(now),
    };
    let after = match current {
        Some(_) => row.update(tx).await?,
        None => row.insert(tx).await.map_err(overtaken)?,
    };
    Ok((before, after.into()))
}

/// There was no row to lock, and by now there is one.
fn overtaken(error: DbErr) -> NotificationError {
    match failure_of(&error) {
        Failure::Constraint(name) if name == "notification_preference_pkey" => {
            NotificationError::Overtaken
        }
        _ => error.into(),
    }
}

/// Sweeps out what members were told long ago. Answers how many.
///
/// # Errors
///
/// When the database refuses.
pub async fn sweep(tx: &TenantTx, now: OffsetDateTime) -> Result<u64, DbErr> {
    let swept = Entity::delete_many()
        .filter(Column::CreatedAt.lt(now - KEPT))
        .exec(tx)
        .await?;
    Ok(swept.rows_affected)
}
