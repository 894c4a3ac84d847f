//! Which items came with which supplier's files.

use sea_orm::entity::prelude::*;

/// One item of one supplier.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "import_source")]
pub struct Model {
    /// The supplier's way.
    #[sea_orm(primary_key, auto_increment = false)]
    pub profile_id: Uuid,
    /// The item, which may be gone by now.
    #[sea_orm(primary_key, auto_increment = false)]
    pub item_id: Uuid,
}

/// None.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
