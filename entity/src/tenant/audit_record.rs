//! What was done, by whom, to what. Rows are only ever added.

use sea_orm::entity::prelude::*;

/// One record.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_record")]
pub struct Model {
    /// From 1, without gaps.
    #[sea_orm(primary_key, auto_increment = false)]
    pub seq: i64,
    /// All of it; the column is `json`, so its bytes are those that were hashed.
    #[sea_orm(column_type = "Json")]
    pub content: Json,
    /// SHA-256 of the hash before it and the bytes of `content`.
    pub hash: Vec<u8>,
    /// UUIDv7.
    pub id: Uuid,
    /// UTC.
    pub at: TimeDateTimeWithTimeZone,
    /// Generated: such as `item.create`.
    pub action: String,
    /// Generated: `member`, `api_key`, `operator`, `anonymous` or `system`.
    pub actor_kind: String,
    /// Generated.
    pub actor_id: Option<String>,
    /// Generated: such as `item`.
    pub target_kind: String,
    /// Generated.
    pub target_id: Option<String>,
}

/// None.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
