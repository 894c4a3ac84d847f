//! Somebody who may become a member.

use sea_orm::entity::prelude::*;

/// One invitation.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "invitation")]
pub struct Model {
    /// UUIDv7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Lower case; at most one open invitation has it.
    pub email: String,
    /// For people; may be empty.
    pub name: String,
    /// Built-in role; the least one beside a role of the dealer's own.
    pub role: super::member::Role,
    /// Role of the dealer's own.
    pub role_id: Option<Uuid>,
    /// Where they are to work.
    pub branch_id: Option<Uuid>,
    /// SHA-256 of the token in the message.
    pub token_hash: Vec<u8>,
    /// The member who asked them; none for a first owner.
    pub invited_by: Option<Uuid>,
    /// The ETag's number.
    pub version: i64,
    /// UTC.
    pub created_at: TimeDateTimeWithTimeZone,
    /// UTC.
    pub updated_at: TimeDateTimeWithTimeZone,
    /// UTC.
    pub expires_at: TimeDateTimeWithTimeZone,
    /// UTC.
    pub accepted_at: Option<TimeDateTimeWithTimeZone>,
    /// UTC.
    pub revoked_at: Option<TimeDateTimeWithTimeZone>,
}

/// None.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
