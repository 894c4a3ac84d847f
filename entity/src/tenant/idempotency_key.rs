//! An answer that is kept for a request that is sent again.

use sea_orm::entity::prelude::*;

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "idempotency_key")]
pub struct Model {
    /// Whose key it is.
    #[sea_orm(primary_key, auto_increment = false)]
    pub actor: String,
    /// As the client chose it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: String,
    /// SHA-256 of method, address and body.
    pub fingerprint: Vec<u8>,
    /// Of the answer.
    pub status: i16,
    /// Those of the answer that belong to it.
    pub headers: Json,
    /// Of the answer.
    pub body: Vec<u8>,
    /// Whether the body is encrypted by the server.
    pub is_sealed: bool,
    /// UTC.
    pub created_at: TimeDateTimeWithTimeZone,
    /// UTC.
    pub expires_at: TimeDateTimeWithTimeZone,
}

/// None.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
