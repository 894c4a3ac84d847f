//! What a machine proves itself with.

use sea_orm::entity::prelude::*;

/// One key; its secret was shown once.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "api_key")]
pub struct Model {
    /// UUIDv7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// For people.
    pub name: String,
    /// Who made it; it may never do what they may not.
    pub member_id: Uuid,
    /// Keyed hash of the secret.
    pub secret_hash: Vec<u8>,
    /// Names in the catalogue.
    pub permissions: Vec<String>,
    /// Networks it may be used from; empty means any.
    pub addresses: Vec<String>,
    /// Requests a minute, if it has a limit of its own.
    pub per_minute: Option<i32>,
    /// The key it was made to replace.
    pub replaces: Option<Uuid>,
    /// The ETag's number.
    pub version: i64,
    /// UTC.
    pub created_at: TimeDateTimeWithTimeZone,
    /// UTC.
    pub updated_at: TimeDateTimeWithTimeZone,
    /// UTC.
    pub expires_at: Option<TimeDateTimeWithTimeZone>,
    /// UTC.
    pub revoked_at: Option<TimeDateTimeWithTimeZone>,
    /// UTC; to the minute.
    pub last_used_at: Option<TimeDateTimeWithTimeZone>,
    /// The address.
    pub last_used_from: Option<String>,
}

/// None.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
