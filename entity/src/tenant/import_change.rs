//! What an import did to an item, so that it can be undone.

use sea_orm::entity::prelude::*;

/// One item.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "import_change")]
pub struct Model {
    /// The import.
    #[sea_orm(primary_key, auto_increment = false)]
    pub import_id: Uuid,
    /// The item, which may be gone by now.
    #[sea_orm(primary_key, auto_increment = false)]
    pub item_id: Uuid,
    /// What it was; nothing when the import made it.
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub before: Option<Json>,
    /// The version that the import left it at.
    pub version: i64,
    /// Barcodes that it got.
    pub barcodes: Option<Vec<String>>,
    /// What became of it when the import was undone.
    pub outcome: Option<String>,
}

/// None.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
