//! An identity provider that the dealer trusts.

use sea_orm::entity::prelude::*;

/// One provider.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sso_connection")]
pub struct Model {
    /// UUIDv7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// For people; unique per dealer.
    pub name: String,
    /// Its issuer URL, to the letter.
    pub issuer: String,
    /// Our name there.
    pub client_id: String,
    /// Encrypted by the server.
    pub sealed_client_secret: Vec<u8>,
    /// What new members are.
    pub default_role: super::member::Role,
    /// Whether people become members by signing in.
    pub provisions: bool,
    /// Whether people of its domains must sign in with it.
    pub is_enforced: bool,
    /// Whether it is asked at all.
    pub is_enabled: bool,
    /// The ETag's number.
    pub version: i64,
    /// UTC.
    pub created_at: TimeDateTimeWithTimeZone,
    /// UTC.
    pub updated_at: TimeDateTimeWithTimeZone,
}

/// None.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
