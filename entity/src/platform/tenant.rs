//! The directory: one row for each tenant, whatever its state.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

/// One row of `platform.tenant`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(schema_name = "platform", table_name = "tenant")]
pub struct Model {
    /// UUIDv7, made in the application; never changes and is never used again.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// What people type: the first label of the host name. Unique, and may change.
    #[sea_orm(column_type = "Text", unique)]
    pub slug: String,
    /// What people read.
    #[sea_orm(column_type = "Text")]
    pub name: String,
    /// The schema and the role of the same name, `t_` and 16 hex digits; chosen once.
    #[sea_orm(column_type = "Text", unique)]
    pub schema_name: String,
    /// The lane whose login may become this tenant's role.
    pub lane_id: Uuid,
    /// What it may use; empty means what the server is configured with.
    pub plan_id: Option<Uuid>,
    /// Where the tenant stands in its life.
    pub status: Status,
    /// The name of the newest tenant migration that was applied.
    #[sea_orm(column_type = "Text")]
    pub schema_version: String,
    /// Words of operators, to choose tenants by.
    pub tags: Vec<String>,
    /// Why nothing of it may be destroyed.
    #[sea_orm(column_type = "Text", nullable)]
    pub legal_hold: Option<String>,
    /// When the tenant was created.
    pub created_at: TimeDateTimeWithTimeZone,
    /// When this row last changed.
    pub updated_at: TimeDateTimeWithTimeZone,
}

/// Where a tenant stands in its life.
#[derive(
    Copy, Clone, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Complete and nobody's yet; waits to become somebody.
    Spare,
    /// Being made; not served yet.
    Provisioning,
    /// Served.
    Active,
    /// Switched off by an operator.
    Suspended,
    /// Unpaid for longer than the period of grace.
    PastGrace,
    /// On its way out: it may be read, and written no more.
    Closing,
    /// Its schema is gone, its export is kept.
    Archived,
    /// Its export is destroyed too; only its slug is still taken.
    Gone,
}

/// What a tenant is tied to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The lane that serves it.
    #[sea_orm(
        belongs_to = "super::lane::Entity",
        from = "Column::LaneId",
        to = "super::lane::Column::Id"
    )]
    Lane,
    /// What it may use.
    #[sea_orm(
        belongs_to = "super::plan::Entity",
        from = "Column::PlanId",
        to = "super::plan::Column::Id"
    )]
    Plan,
    /// Its own domains, beside the slug.
    #[sea_orm(has_many = "super::tenant_domain::Entity")]
    TenantDomain,
    /// What happened to it.
    #[sea_orm(has_many = "super::tenant_event::Entity")]
    TenantEvent,
}

impl Related<super::lane::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Lane.def()
    }
}

impl Related<super::plan::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Plan.def()
    }
}

impl Related<super::tenant_domain::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::TenantDomain.def()
    }
}

impl Related<super::tenant_event::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::TenantEvent.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
