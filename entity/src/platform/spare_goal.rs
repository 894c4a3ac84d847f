//! How many spares a node should have.

use sea_orm::entity::prelude::*;

/// One row of `platform.spare_goal`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(schema_name = "platform", table_name = "spare_goal")]
pub struct Model {
    /// The node.
    #[sea_orm(primary_key, auto_increment = false)]
    pub node_id: Uuid,
    /// How many; 0 to 1000.
    pub keep: i32,
    /// No spare is made before this: whoever makes them rests.
    pub not_before: Option<TimeDateTimeWithTimeZone>,
    /// When this was last said.
    pub updated_at: TimeDateTimeWithTimeZone,
}

/// What a row is tied to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The node.
    #[sea_orm(
        belongs_to = "super::node::Entity",
        from = "Column::NodeId",
        to = "super::node::Column::Id"
    )]
    Node,
}

impl Related<super::node::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Node.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
