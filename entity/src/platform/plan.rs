//! What a tenant may use.

use sea_orm::entity::prelude::*;

/// One row of `platform.plan`. Where a limit is empty, the server's configuration decides.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(schema_name = "platform", table_name = "plan")]
pub struct Model {
    /// UUIDv7, made in the application.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// What operators call it; unique.
    #[sea_orm(column_type = "Text", unique)]
    pub name: String,
    /// Transactions of one tenant at once, in one server process.
    pub concurrency: Option<i32>,
    /// Longest time one statement may run, milliseconds.
    pub statement_timeout_ms: Option<i32>,
    /// Longest time a transaction may lie idle between two statements, milliseconds.
    pub idle_in_transaction_timeout_ms: Option<i32>,
    /// Requests of one tenant's people and machines a minute, all together.
    pub requests_per_minute: Option<i32>,
    /// A new tenant of this plan gets a lane of its own.
    pub dedicated_lane: bool,
    /// When the plan was made.
    pub created_at: TimeDateTimeWithTimeZone,
    /// When this row last changed.
    pub updated_at: TimeDateTimeWithTimeZone,
}

/// What a plan is tied to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The tenants that have it.
    #[sea_orm(has_many = "super::tenant::Entity")]
    Tenant,
}

impl Related<super::tenant::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Tenant.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
