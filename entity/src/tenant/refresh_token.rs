//! One refresh token, as its hash.

use sea_orm::entity::prelude::*;

/// A token of a session; at most one of them is not yet replaced.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "refresh_token")]
pub struct Model {
    /// SHA-256 of the token.
    #[sea_orm(primary_key, auto_increment = false)]
    pub hash: Vec<u8>,
    /// The family it belongs to.
    pub session_id: Uuid,
    /// UTC.
    pub issued_at: TimeDateTimeWithTimeZone,
    /// UTC.
    pub expires_at: TimeDateTimeWithTimeZone,
    /// UTC; set when its successor was issued.
    pub replaced_at: Option<TimeDateTimeWithTimeZone>,
    /// The successor's hash.
    pub replaced_by: Option<Vec<u8>>,
    /// Digest of the client that replaced it.
    pub client: Option<Vec<u8>>,
}

/// None: a token is looked up by its hash.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
