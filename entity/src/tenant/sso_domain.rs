//! A domain of e-mail addresses that a provider speaks for.

use sea_orm::entity::prelude::*;

/// One domain.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sso_domain")]
pub struct Model {
    /// Lower-case ASCII.
    #[sea_orm(primary_key, auto_increment = false)]
    pub domain: String,
    /// The provider.
    pub connection_id: Uuid,
    /// What DNS must show.
    pub challenge: String,
    /// UTC; none until DNS has shown it.
    pub verified_at: Option<TimeDateTimeWithTimeZone>,
    /// UTC.
    pub created_at: TimeDateTimeWithTimeZone,
}

/// None.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
