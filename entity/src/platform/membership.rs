//! Where an address has signed in.

use sea_orm::entity::prelude::*;

/// One row of `platform.membership`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(schema_name = "platform", table_name = "membership")]
pub struct Model {
    /// Keyed digest of the address.
    #[sea_orm(primary_key, auto_increment = false)]
    pub email_digest: Vec<u8>,
    /// The dealer.
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    /// UTC; the last sign-in.
    pub seen_at: TimeDateTimeWithTimeZone,
}

/// None.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
