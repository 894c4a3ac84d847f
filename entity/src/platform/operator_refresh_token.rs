//! One refresh token of an operator's session; only its hash is kept.

use sea_orm::entity::prelude::*;

/// One row of `platform.operator_refresh_token`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(schema_name = "platform", table_name = "operator_refresh_token")]
pub struct Model {
    /// SHA-256 of the token.
    #[sea_orm(primary_key, auto_increment = false)]
    pub hash: Vec<u8>,
    /// Its session.
    pub session_id: Uuid,
    /// When it was exchanged; a second time ends the session.
    pub used_at: Option<TimeDateTimeWithTimeZone>,
    /// Until when it may be exchanged.
    pub expires_at: TimeDateTimeWithTimeZone,
}

/// What a row is tied to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// Its session.
    #[sea_orm(
        belongs_to = "super::operator_session::Entity",
        from = "Column::SessionId",
        to = "super::operator_session::Column::Id"
    )]
    OperatorSession,
}

impl Related<super::operator_session::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::OperatorSession.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
