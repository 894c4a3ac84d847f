//! All that descends from one sign-in of an operator.

use sea_orm::entity::prelude::*;

/// One row of `platform.operator_session`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(schema_name = "platform", table_name = "operator_session")]
pub struct Model {
    /// UUIDv7, made in the application.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Whose.
    pub operator_id: Uuid,
    /// What they signed in with.
    #[sea_orm(column_type = "Text", nullable)]
    pub user_agent: Option<String>,
    /// When they signed in.
    pub created_at: TimeDateTimeWithTimeZone,
    /// When it was last refreshed.
    pub last_used_at: TimeDateTimeWithTimeZone,
    /// When it ends, whatever happens.
    pub expires_at: TimeDateTimeWithTimeZone,
    /// When it was ended early.
    pub revoked_at: Option<TimeDateTimeWithTimeZone>,
}

/// What a row is tied to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The operator.
    #[sea_orm(
        belongs_to = "super::operator::Entity",
        from = "Column::OperatorId",
        to = "super::operator::Column::Id"
    )]
    Operator,
}

impl Related<super::operator::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Operator.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
