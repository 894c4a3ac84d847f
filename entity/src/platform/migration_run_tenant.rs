//! A tenant's place in a run.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

/// One row of `platform.migration_run_tenant`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(schema_name = "platform", table_name = "migration_run_tenant")]
pub struct Model {
    /// The run.
    #[sea_orm(primary_key, auto_increment = false)]
    pub run_id: Uuid,
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    /// Its turn, from 0.
    pub position: i32,
    /// Its wave; 0 are the canaries.
    pub wave: i32,
    /// What became of it.
    pub state: State,
    /// Where it stood.
    #[sea_orm(column_type = "Text")]
    pub from_version: String,
    /// Where it should go.
    #[sea_orm(column_type = "Text")]
    pub target_version: String,
    /// How far the run has moved it.
    #[sea_orm(column_type = "Text", nullable)]
    pub reached: Option<String>,
    /// How often it was tried.
    pub attempts: i32,
    /// How often a lock was not to be had in time.
    pub lock_waits: i32,
    /// Rows that back-fills have changed.
    pub rows_filled: i64,
    /// When its turn may come again.
    pub not_before: Option<TimeDateTimeWithTimeZone>,
    /// The name under which a worker holds it.
    pub lease: Option<Uuid>,
    /// Until when.
    pub lease_until: Option<TimeDateTimeWithTimeZone>,
    /// What went wrong last.
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub error: Option<Json>,
    /// When it was first tried.
    pub started_at: Option<TimeDateTimeWithTimeZone>,
    /// When its state became final.
    pub finished_at: Option<TimeDateTimeWithTimeZone>,
}

/// What became of a tenant in a run.
#[derive(
    Copy, Clone, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Its turn comes.
    Pending,
    /// Somebody is at it, for as long as their lease.
    Running,
    /// It stands where it should, and its structure was proven.
    Done,
    /// It stays where it was.
    Failed,
    /// It is left alone.
    Skipped,
    /// It was moved, and its structure is not what it should be.
    Quarantined,
}

/// What a row is tied to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The run.
    #[sea_orm(
        belongs_to = "super::migration_run::Entity",
        from = "Column::RunId",
        to = "super::migration_run::Column::Id"
    )]
    MigrationRun,
    /// The tenant.
    #[sea_orm(
        belongs_to = "super::tenant::Entity",
        from = "Column::TenantId",
        to = "super::tenant::Column::Id"
    )]
    Tenant,
}

impl Related<super::migration_run::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::MigrationRun.def()
    }
}

impl Related<super::tenant::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Tenant.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
