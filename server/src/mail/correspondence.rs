//! How a dealer writes to its people: in which language, and in which colour.

use ::entity::tenant::setting;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, EntityTrait, Statement};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use super::language::Language;
use crate::db::TenantTx;
use crate::kernel::Color;

/// The setting's key.
pub const CORRESPONDENCE: &str = "correspondence";

/// The setting. What can't be read in it is as if it were not there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Correspondence {
    /// What members are written to in who have no language of their own; English when there is none.
    #[serde(deserialize_with = "known_language")]
    pub language: Option<Language>,
    /// What buttons in messages are drawn in.
    #[serde(deserialize_with = "known_color", serialize_with = "written")]
    pub brand_color: Option<Color>,
}

impl Correspondence {
    /// The dealer's.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn of(tx: &TenantTx) -> Result<Self, DbErr> {
        let setting = setting::Entity::find_by_id(CORRESPONDENCE).one(tx).await?;
        Ok(setting.map_or_else(Self::default, |setting| Self::read(setting.value)))
    }

    /// What stands in the setting.
    pub fn read(value: serde_json::Value) -> Self {
        serde_json::from_value(value).unwrap_or_default()
    }
}

/// What somebody is written to in: their own language, or else the dealer's. One question whoever it
/// is, so that the time it takes tells nothing.
pub(super) async fn language_of(tx: &TenantTx, member: Option<Uuid>) -> Result<Language, DbErr> {
    let sql = "SELECT coalesce(
        (SELECT language FROM notification_preference WHERE member_id = $1),
        (SELECT value ->> 'language' FROM setting WHERE key = $2)) AS language";
    let values = [member.into(), CORRESPONDENCE.into()];
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    let row = tx.query_one_raw(statement).await?;
    let code: Option<String> = row
        .map(|row| row.try_get("", "language"))
        .transpose()?
        .flatten();
    Ok(code.and_then(|code| code.parse().ok()).unwrap_or_default())
}

fn known_language<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Language>, D::Error> {
    let text = Option::<String>::deserialize(from)?;
    Ok(text.and_then(|text| text.parse().ok()))
}

fn known_color<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Color>, D::Error> {
    let text = Option::<String>::deserialize(from)?;
    Ok(text.and_then(|text| text.parse().ok()))
}

fn written<S: Serializer>(color: &Option<Color>, to: S) -> Result<S::Ok, S::Error> {
    color.map(|color| color.to_string()).serialize(to)
}
