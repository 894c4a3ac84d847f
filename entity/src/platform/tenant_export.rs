//! An export of a tenant that is kept: where it lies, and what it weighs.

use sea_orm::entity::prelude::*;

/// One row of `platform.tenant_export`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(schema_name = "platform", table_name = "tenant_export")]
pub struct Model {
    /// UUIDv7, made in the application.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Whose.
    pub tenant_id: Uuid,
    /// The folder, as the one who made it names it.
    #[sea_orm(column_type = "Text")]
    pub location: String,
    /// All its files together.
    pub bytes: i64,
    /// Of its manifest, which holds those of all its files.
    #[sea_orm(column_type = "Text")]
    pub sha256: String,
    /// Until when it has to be kept; it can be destroyed after.
    pub keep_until: Option<TimeDateTimeWithTimeZone>,
    /// Who made it.
    #[sea_orm(column_type = "Text")]
    pub actor: String,
    /// When it was made.
    pub created_at: TimeDateTimeWithTimeZone,
    /// When it was destroyed.
    pub destroyed_at: Option<TimeDateTimeWithTimeZone>,
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
