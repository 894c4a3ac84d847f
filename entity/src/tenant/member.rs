//! A person who works for the dealer.

use sea_orm::entity::prelude::*;

/// One member of the dealer's team.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "member")]
pub struct Model {
    /// UUIDv7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Lower case, unique per dealer.
    pub email: String,
    /// For people.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Whether they may sign in.
    pub status: Status,
    /// Argon2id PHC string; none until the person has chosen a password.
    pub password_hash: Option<String>,
    /// Goes up when everything they were ever issued must stop working.
    pub token_version: i32,
    /// UTC; none until they have proven that the address is theirs.
    pub email_verified_at: Option<TimeDateTimeWithTimeZone>,
    /// UTC.
    pub password_changed_at: Option<TimeDateTimeWithTimeZone>,
    /// UTC.
    pub last_sign_in_at: Option<TimeDateTimeWithTimeZone>,
    /// UTC; when mail to the address was last known to come back.
    pub mail_bounced_at: Option<TimeDateTimeWithTimeZone>,
    /// Where they work.
    pub branch_id: Option<Uuid>,
    /// Role of the dealer's own, in place of the built-in one.
    pub role_id: Option<Uuid>,
    /// The ETag's number.
    pub version: i64,
    /// UTC.
    pub created_at: TimeDateTimeWithTimeZone,
    /// UTC.
    pub updated_at: TimeDateTimeWithTimeZone,
}

/// The built-in roles.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[allow(missing_docs)] // the names are the dealer's own words
pub enum Role {
    Owner,
    Admin,
    BranchManager,
    Sales,
    Counter,
    Warehouse,
    Driver,
    Accounts,
    Buyer,
    Viewer,
}

/// Whether a member may sign in.
#[derive(Copy, Clone, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum Status {
    /// May sign in.
    Active,
    /// May not, and what was issued to them is void.
    Disabled,
}

/// None: a session is looked up by its own id.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
