//! What deprecated operations a key still calls.

use sea_orm::entity::prelude::*;

/// One operation on one day.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "api_key_usage")]
pub struct Model {
    /// The key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key_id: Uuid,
    /// UTC.
    #[sea_orm(primary_key, auto_increment = false)]
    pub day: TimeDate,
    /// Its operation id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub operation: String,
    /// How often.
    pub calls: i64,
}

/// None.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
