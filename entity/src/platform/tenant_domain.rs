//! A tenant's own domain names.

use sea_orm::entity::prelude::*;

/// One row of `platform.tenant_domain`: a claim, until it is verified. A verified domain is one
/// tenant's alone; claims on the same domain may be many.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(schema_name = "platform", table_name = "tenant_domain")]
pub struct Model {
    /// UUIDv7, made in the application.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Whose it is.
    pub tenant_id: Uuid,
    /// Lower-case ASCII (IDN in its `xn--` form), no port, no final dot.
    #[sea_orm(column_type = "Text")]
    pub domain: String,
    /// What the domain's owner puts into DNS to prove that it is theirs.
    #[sea_orm(column_type = "Text")]
    pub challenge: String,
    /// When the tenant proved that the domain is theirs; empty until then.
    pub verified_at: Option<TimeDateTimeWithTimeZone>,
    /// When it was asked for.
    pub created_at: TimeDateTimeWithTimeZone,
}

/// What a domain is tied to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// Whose it is.
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
