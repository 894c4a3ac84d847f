//! What deliveries to an endpoint are signed with.

use sea_orm::entity::prelude::*;

/// One secret, or one private key.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webhook_secret")]
pub struct Model {
    /// UUIDv7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Whose.
    pub endpoint_id: Uuid,
    /// `v1` or `v1a`.
    pub scheme: String,
    /// Encrypted by the server.
    pub sealed_secret: Vec<u8>,
    /// UTC.
    pub created_at: TimeDateTimeWithTimeZone,
    /// UTC; set when another took its place.
    pub expires_at: Option<TimeDateTimeWithTimeZone>,
}

/// None.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
