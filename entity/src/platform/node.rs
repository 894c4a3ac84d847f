//! A Postgres that tenants can live on.

use sea_orm::entity::prelude::*;

/// One row of `platform.node`. Where `host`, `port` and `database` are all empty, the node is the
/// database that holds this table.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(schema_name = "platform", table_name = "node")]
pub struct Model {
    /// UUIDv7, made in the application.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// What operators call it; unique.
    #[sea_orm(column_type = "Text", unique)]
    pub name: String,
    /// Host name or address; empty means the platform's own.
    #[sea_orm(column_type = "Text", nullable)]
    pub host: Option<String>,
    /// TCP port; empty means the platform's own.
    pub port: Option<i32>,
    /// Database name; empty means the platform's own.
    #[sea_orm(column_type = "Text", nullable)]
    pub database: Option<String>,
    /// When the node was added.
    pub created_at: TimeDateTimeWithTimeZone,
}

/// What a node is tied to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The lanes that lead to this node.
    #[sea_orm(has_many = "super::lane::Entity")]
    Lane,
}

impl Related<super::lane::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Lane.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
