//! A member's authenticator app.

use sea_orm::entity::prelude::*;

/// One credential.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "totp_credential")]
pub struct Model {
    /// Whose it is.
    #[sea_orm(primary_key, auto_increment = false)]
    pub member_id: Uuid,
    /// Encrypted by the server.
    pub sealed_secret: Vec<u8>,
    /// The newest time step whose code was taken: a code works once.
    pub last_step: i64,
    /// UTC.
    pub created_at: TimeDateTimeWithTimeZone,
    /// UTC; none until a first code has proven that the app has it.
    pub confirmed_at: Option<TimeDateTimeWithTimeZone>,
}

/// None.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
