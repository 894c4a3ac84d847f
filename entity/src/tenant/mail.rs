//! A message to somebody: what becomes of it, and what is left to tell of it.

use sea_orm::entity::prelude::*;

/// One message.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "mail")]
pub struct Model {
    /// UUIDv7; its Message-ID is made of it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// To whom; nobody for one that is thrown away.
    pub recipient: Option<String>,
    /// Such as `invitation`.
    pub kind: String,
    /// `de`, `en`, `et` or `pt`.
    pub language: String,
    /// What it is made of, encrypted; nothing once it has ended.
    pub sealed: Option<Vec<u8>>,
    /// What became of it.
    pub status: Status,
    /// How often it was begun to be sent.
    pub attempts: i32,
    /// What the mail server answered when it refused for good.
    pub refusal_code: Option<i32>,
    /// UTC.
    pub created_at: TimeDateTimeWithTimeZone,
    /// UTC.
    pub ended_at: Option<TimeDateTimeWithTimeZone>,
}

/// What became of a message.
#[derive(Copy, Clone, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum Status {
    /// It is to be sent.
    Queued,
    /// A mail server has taken it.
    Sent,
    /// No mail server took it, and nobody tries any more.
    Failed,
    /// The mail server refused it for good.
    Bounced,
    /// It was not sent, because mail to the address comes back.
    Suppressed,
}

/// None.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
