//! A login role with a small pool of its own, shared by a bounded number of tenants.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

/// One row of `platform.lane`. A backend only ever meets the tenants of its lane, so both its
/// memory and what an injected statement could reach are bounded by `capacity`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(schema_name = "platform", table_name = "lane")]
pub struct Model {
    /// UUIDv7, made in the application.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The node that the lane leads to.
    pub node_id: Uuid,
    /// The role the server logs in as; unique in the cluster. Its password is derived, not stored.
    #[sea_orm(column_type = "Text", unique)]
    pub login_role: String,
    /// How many connections one server process opens, at most.
    pub width: i32,
    /// How many tenants fit, 1 to 500.
    pub capacity: i32,
    /// Kept for tenants that were placed here by name; nobody is put here automatically.
    pub dedicated: bool,
    /// Whether it takes tenants.
    pub state: State,
    /// When the lane was added.
    pub created_at: TimeDateTimeWithTimeZone,
}

/// Whether a lane takes tenants.
#[derive(
    Copy, Clone, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It does, while there is room.
    Open,
    /// Its tenants are being moved away; then it goes.
    Retiring,
}

/// What a lane is tied to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The node that the lane leads to.
    #[sea_orm(
        belongs_to = "super::node::Entity",
        from = "Column::NodeId",
        to = "super::node::Column::Id"
    )]
    Node,
    /// The tenants on this lane.
    #[sea_orm(has_many = "super::tenant::Entity")]
    Tenant,
}

impl Related<super::node::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Node.def()
    }
}

impl Related<super::tenant::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Tenant.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
