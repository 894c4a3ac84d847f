//! Use cases of settings.

use ::entity::tenant::setting::{self, Model};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel, QuerySelect};
use serde_json::json;
use time::OffsetDateTime;

use super::error::SettingError;
use crate::auth::epoch;
use crate::db::{Failure, TenantTx, failure_of};
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
    let current = setting::Entity::find_by_id(CORS_ORIGINS)
        .lock_exclusive()
        .one(tx)
        .await?;
    let before = current.clone().map(list_of).unwrap_or_default();
    if expected.is_some_and(|version| version != before.version) {
        return Err(SettingError::Changed(before.version));
    }
    let (value, version) = (Set(json!(origins)), Set(before.version + 1));
    let after = match current {
        Some(current) => {
            let mut changed = current.into_active_model();
            (changed.value, changed.version, changed.updated_at) = (value, version, Set(now));
            changed.update(tx).await?
        }
        None => {
            let new = setting::ActiveModel {
                key: Set(CORS_ORIGINS.to_owned()),
                value,
                version,
                updated_at: Set(now),
            };
            new.insert(tx).await.map_err(overtaken)?
        }
    };
    epoch::bump(tx).await?;
    Ok((before, list_of(after)))
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
