//! Something that is handed out to be shown once.

use sea_orm::entity::prelude::*;

/// One token, as its hash.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "one_time_token")]
pub struct Model {
    /// SHA-256 of the token.
    #[sea_orm(primary_key, auto_increment = false)]
    pub hash: Vec<u8>,
    /// What it is good for.
    pub kind: String,
    /// Whose it is, if anybody's yet.
    pub member_id: Option<Uuid>,
    /// What belongs to this kind; never a secret in the clear.
    pub payload: Json,
    /// UTC.
    pub created_at: TimeDateTimeWithTimeZone,
    /// UTC.
    pub expires_at: TimeDateTimeWithTimeZone,
    /// UTC.
    pub used_at: Option<TimeDateTimeWithTimeZone>,
}

/// None.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
