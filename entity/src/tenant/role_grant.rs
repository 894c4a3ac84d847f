//! What a role of the dealer's own allows.

use sea_orm::entity::prelude::*;

/// One permission of one role.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "role_grant")]
pub struct Model {
    /// The role.
    #[sea_orm(primary_key, auto_increment = false)]
    pub role_id: Uuid,
    /// Its name in the catalogue, such as `item.read`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub permission: String,
    /// Over whose things: `all`, `branch`, `team` or `own`.
    pub scope: String,
}

/// None.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
