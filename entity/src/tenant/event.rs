//! What happened, in the order in which it became true.

use sea_orm::entity::prelude::*;

/// One event.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "event")]
pub struct Model {
    /// Increases; whoever has seen one has seen all that are smaller and kept.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i64,
    /// Such as `item.created`.
    pub kind: String,
    /// What one must be allowed to see, such as `items`.
    pub topic: String,
    /// UTC.
    pub at: TimeDateTimeWithTimeZone,
    /// The one member it is for; nothing for all who may see the topic.
    pub audience: Option<Uuid>,
    /// As its kind's schema says.
    #[sea_orm(column_type = "JsonBinary")]
    pub data: Json,
}

/// None.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
