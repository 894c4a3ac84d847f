//! A price file on its way into the catalogue.

use sea_orm::entity::prelude::*;

/// One import.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "import")]
pub struct Model {
    /// UUIDv7; the file in storage has it, too.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// How far it has come.
    pub status: String,
    /// As its sender calls it.
    pub file_name: String,
    /// Its length.
    pub file_bytes: i64,
    /// What it holds.
    pub file_sha256: Vec<u8>,
    /// The supplier's way that it was sent with.
    pub profile_id: Option<Uuid>,
    /// How it was asked to be read.
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub mapping: Option<Json>,
    /// What was asked for.
    #[sea_orm(column_type = "JsonBinary")]
    pub options: Json,
    /// How it is read: the whole mapping, and the columns' names.
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub plan: Option<Json>,
    /// Numbers and samples.
    #[sea_orm(column_type = "JsonBinary")]
    pub summary: Json,
    /// Rows of the file that are not blank, once it was looked through.
    pub rows_total: Option<i64>,
    /// How many of them are done in this phase.
    pub rows_done: i64,
    /// Rows of the file, of any kind, that are in the catalogue for good.
    pub checkpoint: i64,
    /// The job that works on it.
    pub job_id: Option<Uuid>,
    /// The member who sent it, or whose key did.
    pub requested_by: Option<Uuid>,
    /// Why it failed, as a problem.
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub error: Option<Json>,
    /// The ETag's number: goes up with each status.
    pub version: i64,
    /// UTC.
    pub created_at: TimeDateTimeWithTimeZone,
    /// UTC.
    pub updated_at: TimeDateTimeWithTimeZone,
    /// UTC; when it was applied, or came to nothing.
    pub finished_at: Option<TimeDateTimeWithTimeZone>,
    /// Whether its rows, samples and journal are `kept`, `going` or `gone`.
    pub details: String,
}

/// None.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
