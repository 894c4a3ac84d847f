//! Use cases of settings.

use ::entity::tenant::setting::{self, Model};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, QuerySelect};
use serde_json::json;
use time::OffsetDateTime;

use super::error::SettingError;
use crate::auth::epoch;
use crate::db::{Failure, TenantTx, failure_of};
use crate::mail::{CORRESPONDENCE, Correspondence};
use crate::origins::CORS_ORIGINS;

/// A dealer's list of origins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct OriginList {
    pub origins: Vec<String>,
    /// Nothing set yet is version 0.
    pub version: i64,
}

pub(super) async fn origins(tx: &TenantTx) -> Result<OriginList, SettingError> {
    let setting = setting::Entity::find_by_id(CORS_ORIGINS).one(tx).await?;
    Ok(setting.map(list_of).unwrap_or_default())
}

/// Puts another list in place; returns what it was and what it is.
pub(super) async fn replace_origins(
    tx: &TenantTx,
    origins: &[String],
    expected: Option<i64>,
    now: OffsetDateTime,
) -> Result<(OriginList, OriginList), SettingError> {
    let (before, after) = replace(tx, CORS_ORIGINS, json!(origins), expected, now).await?;
    epoch::bump(tx).await?;
    Ok((before.map(list_of).unwrap_or_default(), list_of(after)))
}

/// How the dealer writes to its people, and the version of that.
pub(super) async fn correspondence(tx: &TenantTx) -> Result<(Correspondence, i64), SettingError> {
    let setting = setting::Entity::find_by_id(CORRESPONDENCE).one(tx).await?;
    Ok(setting.map(correspondence_of).unwrap_or_default())
}

/// Has the dealer write in another way; returns how it was and how it is.
pub(super) async fn replace_correspondence(
    tx: &TenantTx,
    new: &Correspondence,
    expected: Option<i64>,
    now: OffsetDateTime,
) -> Result<[(Correspondence, i64); 2], SettingError> {
    let (before, after) = replace(tx, CORRESPONDENCE, json!(new), expected, now).await?;
    let before = before.map(correspondence_of).unwrap_or_default();
    Ok([before, correspondence_of(after)])
}

/// Puts another value in place; returns what was there, if anything, and what is there.
async fn replace(
    tx: &TenantTx,
    key: &str,
    value: serde_json::Value,
    expected: Option<i64>,
    now: OffsetDateTime,
) -> Result<(Option<Model>, Model), SettingError> {
    let current = setting::Entity::find_by_id(key)
        .lock_exclusive()
        .one(tx)
        .await?;
    let version = current.as_ref().map_or(0, |setting| setting.version);
    if expected.is_some_and(|expected| expected != version) {
        return Err(SettingError::Changed(version));
    }
    let new = setting::ActiveModel {
        key: Set(key.to_owned()),
        value: Set(value),
        version: Set(version + 1),
        updated_at: Set(now),
    };
    let after = match &current {
        Some(_) => new.update(tx).await?,
        None => new.insert(tx).await.map_err(overtaken)?,
    };
    Ok((current, after))
}

fn correspondence_of(setting: Model) -> (Correspondence, i64) {
    (Correspondence::read(setting.value), setting.version)
}

/// There was no row to lock, and by now there is one.
fn overtaken(error: sea_orm::DbErr) -> SettingError {
    match failure_of(&error) {
        Failure::Constraint(name) if name == "setting_pkey" => SettingError::Overtaken,
        _ => error.into(),
    }
}

/// A list that isn't one opens nothing, and is told as what it opens.
fn list_of(setting: Model) -> OriginList {
    OriginList {
        origins: serde_json::from_value(setting.value).unwrap_or_default(),
        version: setting.version,
    }
}
