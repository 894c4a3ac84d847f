//! People who run the platform.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

/// One row of `platform.operator`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(schema_name = "platform", table_name = "operator")]
pub struct Model {
    /// UUIDv7, made in the application.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Folded to lower case; unique.
    #[sea_orm(column_type = "Text", unique)]
    pub email: String,
    /// How to address them.
    #[sea_orm(column_type = "Text")]
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Whether they may sign in.
    pub status: Status,
    /// PHC string.
    #[sea_orm(column_type = "Text")]
    pub password_hash: String,
    /// Goes up when all that was ever issued must stop working.
    pub token_version: i32,
    /// When they were added.
    pub created_at: TimeDateTimeWithTimeZone,
    /// When this row last changed.
    pub updated_at: TimeDateTimeWithTimeZone,
}

/// What an operator may do.
#[derive(
    Copy, Clone, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Look.
    Viewer,
    /// Also suspend and resume tenants, and copy them without their people.
    Support,
    /// Everything.
    Admin,
}

/// Whether an operator may sign in.
#[derive(
    Copy, Clone, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// They may.
    Active,
    /// They may not.
    Disabled,
}

/// What a row is tied to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
