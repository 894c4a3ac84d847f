//! A server process, as it tells of itself.

use sea_orm::entity::prelude::*;

/// One row of `platform.server_process`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(schema_name = "platform", table_name = "server_process")]
pub struct Model {
    /// UUIDv7, made by the process.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Its version.
    #[sea_orm(column_type = "Text")]
    pub build: String,
    /// The newest tenant migration that its code knows.
    #[sea_orm(column_type = "Text")]
    pub knows: String,
    /// The oldest that its code can serve.
    #[sea_orm(column_type = "Text")]
    pub needs: String,
    /// When it started.
    pub started_at: TimeDateTimeWithTimeZone,
    /// When it last said anything.
    pub seen_at: TimeDateTimeWithTimeZone,
}

/// What a row is tied to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
