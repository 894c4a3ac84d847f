//! What the server noticed at the walls between tenants. Rows are only ever added.

use sea_orm::entity::prelude::*;

/// One row of `platform.security_event`.
///
/// The server's role may insert here and not read, so insert with
/// `Entity::insert(..).exec_without_returning(..)`: `RETURNING` needs the right to read.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(schema_name = "platform", table_name = "security_event")]
pub struct Model {
    /// UUIDv7, made in the application; sorts by time.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The tenant in question, when one is known. No foreign key: the record outlives the tenant.
    pub tenant_id: Option<Uuid>,
    /// What was noticed, such as `tenant_mismatch`.
    #[sea_orm(column_type = "Text")]
    pub kind: String,
    /// What belongs to this kind. Never a token, never a body.
    #[sea_orm(column_type = "JsonBinary")]
    pub detail: Json,
    /// The request that caused it, as it stands in the log.
    #[sea_orm(column_type = "Text", nullable)]
    pub request_id: Option<String>,
    /// When it was noticed.
    pub at: TimeDateTimeWithTimeZone,
}

/// Tied to nothing.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
