//! Whom a provider knows by which name.

use sea_orm::entity::prelude::*;

/// One person at one provider.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sso_identity")]
pub struct Model {
    /// The provider.
    #[sea_orm(primary_key, auto_increment = false)]
    pub connection_id: Uuid,
    /// What it calls the person, for good.
    #[sea_orm(primary_key, auto_increment = false)]
    pub subject: String,
    /// Who that is here.
    pub member_id: Uuid,
    /// UTC.
    pub created_at: TimeDateTimeWithTimeZone,
    /// UTC.
    pub last_used_at: TimeDateTimeWithTimeZone,
}

/// None.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
