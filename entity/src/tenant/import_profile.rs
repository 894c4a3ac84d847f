//! How a supplier writes its price files.

use sea_orm::entity::prelude::*;

/// One supplier's way.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "import_profile")]
pub struct Model {
    /// UUIDv7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// For people; unique per dealer.
    pub name: String,
    /// How its files are read.
    #[sea_orm(column_type = "JsonBinary")]
    pub mapping: Json,
    /// What is asked for when a request doesn't say.
    #[sea_orm(column_type = "JsonBinary")]
    pub options: Json,
    /// The ETag's number.
    pub version: i64,
    /// UTC.
    pub created_at: TimeDateTimeWithTimeZone,
    /// UTC.
    pub updated_at: TimeDateTimeWithTimeZone,
}

/// None.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
