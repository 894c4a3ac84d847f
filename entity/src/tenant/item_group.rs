//! A node in the tree of item groups.

use sea_orm::entity::prelude::*;

/// One group; the root groups have no parent.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "item_group")]
pub struct Model {
    /// UUIDv7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The group this one lies in.
    pub parent_id: Option<Uuid>,
    /// Unique among its siblings.
    pub name: String,
    /// Goes up with every change; the ETag.
    pub version: i64,
    /// UTC.
    pub created_at: TimeDateTimeWithTimeZone,
    /// UTC.
    pub updated_at: TimeDateTimeWithTimeZone,
}

/// None: the tree is walked by recursive queries.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
