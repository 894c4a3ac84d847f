//! A sign-in that is still good: the family of all refresh tokens that descend from it.

use sea_orm::entity::prelude::*;

/// One session of a member.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "session")]
pub struct Model {
    /// UUIDv7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Who signed in.
    pub member_id: Uuid,
    /// What the client called itself, cut to 200 characters.
    pub user_agent: Option<String>,
    /// UTC.
    pub created_at: TimeDateTimeWithTimeZone,
    /// UTC; moves with every refresh.
    pub last_used_at: TimeDateTimeWithTimeZone,
    /// UTC; the end of the newest refresh token.
    pub expires_at: TimeDateTimeWithTimeZone,
    /// UTC; set by sign-out and by the reuse of a replaced token.
    pub revoked_at: Option<TimeDateTimeWithTimeZone>,
    /// How it began: `password`, `sso`, `invitation` or `switch`.
    pub method: String,
    /// `bearer` or `browser`.
    pub client: String,
    /// Where from.
    pub address: Option<String>,
    /// UTC; the last time the person proved who they are, none means when it began.
    pub proven_at: Option<TimeDateTimeWithTimeZone>,
    /// UTC; the last time with a second factor.
    pub second_factor_at: Option<TimeDateTimeWithTimeZone>,
    /// UTC; it can't be carried on past this.
    pub ends_at: Option<TimeDateTimeWithTimeZone>,
    /// Why it was ended.
    pub ended_because: Option<String>,
}

/// Where a session leads.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// Who signed in.
    #[sea_orm(
        belongs_to = "super::member::Entity",
        from = "Column::MemberId",
        to = "super::member::Column::Id"
    )]
    Member,
}

impl Related<super::member::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Member.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
