//! How attempts to deliver went.

use sea_orm::entity::prelude::*;

/// One attempt.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webhook_attempt")]
pub struct Model {
    /// UUIDv7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Of what.
    pub delivery_id: Uuid,
    /// Of which round.
    pub round: i32,
    /// From 1 in each round.
    pub number: i32,
    /// UTC; when it began.
    pub at: TimeDateTimeWithTimeZone,
    /// How long it took, milliseconds.
    pub duration_ms: i32,
    /// The answer's status, if there was one.
    pub status: Option<i32>,
    /// What went wrong, as a word.
    pub error: Option<String>,
    /// The beginning of the answer.
    pub answer: Option<String>,
}

/// None.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
