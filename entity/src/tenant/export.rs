//! A file that is made for somebody.

use sea_orm::entity::prelude::*;

/// One export, until it expires.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "export")]
pub struct Model {
    /// UUIDv7; the file's name is made from it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// What things: `items`.
    pub kind: String,
    /// `csv` or `xlsx`.
    pub format: String,
    /// In their order.
    pub columns: Vec<String>,
    /// Which things, a JSON object.
    pub filter: Json,
    /// `pending`, `done` or `failed`.
    pub state: String,
    /// Rows in the file so far.
    pub row_count: i64,
    /// The file's length.
    pub bytes: Option<i64>,
    /// Why it failed.
    pub error: Option<String>,
    /// Who asked for it.
    pub member_id: Uuid,
    /// UTC.
    pub created_at: TimeDateTimeWithTimeZone,
    /// UTC.
    pub finished_at: Option<TimeDateTimeWithTimeZone>,
    /// UTC.
    pub expires_at: TimeDateTimeWithTimeZone,
}

/// None.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
