//! How a member wants to be told.

use sea_orm::entity::prelude::*;

/// One member's preferences.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "notification_preference")]
pub struct Model {
    /// Whose.
    #[sea_orm(primary_key, auto_increment = false)]
    pub member_id: Uuid,
    /// `de`, `en`, `et` or `pt`; the dealer's when there is none.
    pub language: Option<String>,
    /// By kind; what isn't there is as the kind has it.
    #[sea_orm(column_type = "JsonBinary")]
    pub choices: Json,
    /// The ETag's number.
    pub version: i64,
    /// UTC.
    pub updated_at: TimeDateTimeWithTimeZone,
}

/// None.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
