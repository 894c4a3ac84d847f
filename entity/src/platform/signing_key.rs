//! A key that access tokens are signed with.

use sea_orm::entity::prelude::*;

/// One row of `platform.signing_key`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(schema_name = "platform", table_name = "signing_key")]
pub struct Model {
    /// Its name in tokens.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub kid: String,
    /// Ed25519, 32 bytes.
    pub public_key: Vec<u8>,
    /// PKCS #8, encrypted by the server.
    pub sealed_private_key: Vec<u8>,
    /// UTC.
    pub created_at: TimeDateTimeWithTimeZone,
    /// UTC; it is published before, so that everybody knows it by then.
    pub signs_from: TimeDateTimeWithTimeZone,
    /// UTC; none while it is the newest.
    pub verifies_until: Option<TimeDateTimeWithTimeZone>,
}

/// None.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
