//! What is known of a tenant's schema and changes often; kept beside the entry, whose changes are told to all servers.

use sea_orm::entity::prelude::*;

/// One row of `platform.tenant_vitals`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(schema_name = "platform", table_name = "tenant_vitals")]
pub struct Model {
    /// Whose.
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    /// Tables and indexes, when it was examined last.
    pub size_bytes: Option<i64>,
    /// The last request that a server told of.
    pub last_active_at: Option<TimeDateTimeWithTimeZone>,
    /// How its structure differs from that of its version; empty when it does not.
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub drift: Option<Json>,
    /// When its structure was last looked at.
    pub examined_at: Option<TimeDateTimeWithTimeZone>,
}

/// What a row is tied to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The tenant.
    #[sea_orm(
        belongs_to = "super::tenant::Entity",
        from = "Column::TenantId",
        to = "super::tenant::Column::Id"
    )]
    Tenant,
}

impl Related<super::tenant::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Tenant.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
