//! A migration that was tried on clones of a few tenants, and what that says about all of them.

use sea_orm::entity::prelude::*;

/// One row of `platform.rehearsal`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(schema_name = "platform", table_name = "rehearsal")]
pub struct Model {
    /// UUIDv7, made in the application.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Where the tenants stood, oldest version first.
    pub from_versions: Vec<String>,
    /// Where the migration leads.
    #[sea_orm(column_type = "Text")]
    pub target_version: String,
    /// The build that rehearsed.
    #[sea_orm(column_type = "Text")]
    pub build: String,
    /// Who was chosen, why, and what came of it.
    #[sea_orm(column_type = "JsonBinary")]
    pub tenants: Json,
    /// What is to be expected of the whole run; empty where no clone came through.
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub prediction: Option<Json>,
    /// Who asked.
    #[sea_orm(column_type = "Text")]
    pub actor: String,
    /// When it was over.
    pub created_at: TimeDateTimeWithTimeZone,
}

/// What a row is tied to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
