//! How often the dealer's answers to "who may what" have changed.

use sea_orm::entity::prelude::*;

/// The one row, once there is one.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "access_state")]
pub struct Model {
    /// Always true.
    #[sea_orm(primary_key, auto_increment = false)]
    pub is_only: bool,
    /// Goes up when sessions, people, roles or keys change.
    pub epoch: i64,
    /// Goes up when all tokens of the dealer are void.
    pub token_version: i32,
}

/// None.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
