//! Something that a member is told.

use sea_orm::entity::prelude::*;

/// One notification.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "notification")]
pub struct Model {
    /// UUIDv7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Who is told.
    pub member_id: Uuid,
    /// Such as `import.applied`.
    pub kind: String,
    /// What belongs to it.
    #[sea_orm(column_type = "JsonBinary")]
    pub data: Json,
    /// Whether it is shown; else it only waits for a digest.
    pub in_app: bool,
    /// Whether it is to be in the next digest.
    pub awaits_digest: bool,
    /// UTC.
    pub created_at: TimeDateTimeWithTimeZone,
    /// UTC.
    pub read_at: Option<TimeDateTimeWithTimeZone>,
}

/// None.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
