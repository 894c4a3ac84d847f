//! What is sent to an endpoint.

use sea_orm::entity::prelude::*;

/// One message to one endpoint.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webhook_delivery")]
pub struct Model {
    /// UUIDv7; the message is known by it, however often it is sent.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// To whom.
    pub endpoint_id: Uuid,
    /// The kind of event, such as `item.created`.
    pub event_type: String,
    /// The very text that is sent.
    pub payload: String,
    /// What became of it.
    pub state: State,
    /// Goes up when somebody has it sent anew.
    pub round: i32,
    /// Attempts of this round.
    pub attempts: i32,
    /// UTC; nothing once it is over.
    pub next_attempt_at: Option<TimeDateTimeWithTimeZone>,
    /// UTC.
    pub created_at: TimeDateTimeWithTimeZone,
    /// UTC.
    pub ended_at: Option<TimeDateTimeWithTimeZone>,
}

/// What became of a delivery.
#[derive(Copy, Clone, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum State {
    /// It is to be sent, or sent again.
    Pending,
    /// The endpoint took it.
    Delivered,
    /// Nobody tries any more.
    Failed,
}

/// None.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
