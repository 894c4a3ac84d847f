//! The dealer's settings as other code reads them: remembered, and known everywhere within a second
//! of their change.

use std::sync::Arc;

use ::entity::tenant::setting;
use sea_orm::{DbErr, EntityTrait};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::epochs::Epochs;
use crate::cache::{Caches, Place, Remembered};
use crate::db::TenantDb;

/// Settings remembered in this process.
const REMEMBERED: u64 = 50_000;

/// Reads settings. Whoever changes one bumps the access epoch in the same transaction.
#[derive(Debug, Clone)]
pub struct Settings {
    epochs: Epochs,
    values: Remembered<&'static str, Value>,
}

impl Settings {
    pub(super) fn new(epochs: Epochs, caches: &Caches) -> Self {
        Self {
            epochs,
            values: Remembered::new(caches, "setting", REMEMBERED),
        }
    }

    /// A setting; `None` when the dealer has not set it.
    ///
    /// # Errors
    ///
    /// When the database doesn't answer, or when the value has another shape: a policy that can't
    /// be read must not count as none.
    pub async fn get<T: DeserializeOwned>(
        &self,
        db: &TenantDb,
        key: &'static str,
    ) -> Result<Option<T>, DbErr> {
        let place = Place {
            tenant: db.tenant().key(),
            epoch: self.epochs.now(db).await?.epoch,
        };
        let load = db.read(async |tx| {
            let row = setting::Entity::find_by_id(key).one(tx).await?;
            Ok::<_, DbErr>(row.map(|row| row.value))
        });
        let value = self.values.get(place, key, load).await?;
        value.map(|value| read(key, &value)).transpose()
    }
}

fn read<T: DeserializeOwned>(key: &str, value: &Arc<Value>) -> Result<T, DbErr> {
    T::deserialize(value.as_ref())
        .map_err(|error| DbErr::Custom(format!("setting {key} can't be read: {error}")))
}
