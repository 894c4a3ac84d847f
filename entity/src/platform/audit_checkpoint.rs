//! How far a tenant's audit trail had come, kept where the tenant can't reach.

use sea_orm::entity::prelude::*;

/// One row of `platform.audit_checkpoint`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(schema_name = "platform", table_name = "audit_checkpoint")]
pub struct Model {
    /// Whose trail.
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    /// Of the record.
    #[sea_orm(primary_key, auto_increment = false)]
    pub seq: i64,
    /// Of the record.
    pub hash: Vec<u8>,
    /// UTC.
    pub at: TimeDateTimeWithTimeZone,
    /// Authenticates the others, under a key that is derived from the secret of logins.
    pub mac: Vec<u8>,
}

/// None.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
