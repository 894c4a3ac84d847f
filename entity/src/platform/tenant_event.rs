//! The life of each tenant, move by move: who, what, when. Rows are only ever added.

use sea_orm::entity::prelude::*;

/// One row of `platform.tenant_event`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(schema_name = "platform", table_name = "tenant_event")]
pub struct Model {
    /// UUIDv7, made in the application; sorts by time.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Whose life it is.
    pub tenant_id: Uuid,
    /// `created`, `migrated` and so on.
    #[sea_orm(column_type = "Text")]
    pub kind: String,
    /// Who did it: an operator, or the program with the account it ran under.
    #[sea_orm(column_type = "Text")]
    pub actor: String,
    /// What belongs to this kind of move. Never a secret, never personal data.
    #[sea_orm(column_type = "JsonBinary")]
    pub detail: Json,
    /// When it took effect.
    pub at: TimeDateTimeWithTimeZone,
}

/// What an event is tied to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// Whose life it is.
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
