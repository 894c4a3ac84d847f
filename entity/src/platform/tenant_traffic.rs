//! Requests of one tenant at one server process, in the last window that is over.

use sea_orm::entity::prelude::*;

/// One row of `platform.tenant_traffic`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(schema_name = "platform", table_name = "tenant_traffic")]
pub struct Model {
    /// The process.
    #[sea_orm(primary_key, auto_increment = false)]
    pub server_id: Uuid,
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    /// How many.
    pub requests: i64,
    /// How many of them failed by our fault.
    pub failures: i64,
    /// The 99th percentile of their times, in milliseconds.
    pub slow_ms: i64,
    /// When the window was over.
    pub ended_at: TimeDateTimeWithTimeZone,
}

/// What a row is tied to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The process.
    #[sea_orm(
        belongs_to = "super::server_process::Entity",
        from = "Column::ServerId",
        to = "super::server_process::Column::Id"
    )]
    ServerProcess,
    /// The tenant.
    #[sea_orm(
        belongs_to = "super::tenant::Entity",
        from = "Column::TenantId",
        to = "super::tenant::Column::Id"
    )]
    Tenant,
}

impl Related<super::server_process::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::ServerProcess.def()
    }
}

impl Related<super::tenant::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Tenant.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
