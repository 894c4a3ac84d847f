//! A migration over the fleet, or the taking back of one.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

/// One row of `platform.migration_run`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(schema_name = "platform", table_name = "migration_run")]
pub struct Model {
    /// UUIDv7, made in the application.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The run that this one takes back.
    pub reverts: Option<Uuid>,
    /// Where it leads; for one that takes back, where the other one led.
    #[sea_orm(column_type = "Text")]
    pub target_version: String,
    /// Where it stands.
    pub state: State,
    /// Why it stands there.
    #[sea_orm(column_type = "Text", nullable)]
    pub reason: Option<String>,
    /// How to go about it.
    #[sea_orm(column_type = "JsonBinary")]
    pub options: Json,
    /// The wave that has its turn; the canaries are wave 0.
    pub wave: i32,
    /// How many waves there are.
    pub waves: i32,
    /// What was found when each wave was over.
    #[sea_orm(column_type = "JsonBinary")]
    pub verdicts: Json,
    /// Who began it.
    #[sea_orm(column_type = "Text")]
    pub actor: String,
    /// When it was begun.
    pub created_at: TimeDateTimeWithTimeZone,
    /// When this row last changed.
    pub updated_at: TimeDateTimeWithTimeZone,
    /// When it was over.
    pub finished_at: Option<TimeDateTimeWithTimeZone>,
    /// The rehearsal that it was begun after.
    pub rehearsal_id: Option<Uuid>,
}

/// Where a run stands.
#[derive(
    Copy, Clone, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Workers take tenants from it.
    Running,
    /// Somebody said so; nobody takes any.
    Paused,
    /// A wave is over, and the next needs somebody's word.
    Waiting,
    /// It stopped by itself: too many failed, or a wave was judged worse than before.
    Halted,
    /// Over; who had no turn keeps the version it had.
    Cancelled,
    /// Over; everybody had a turn.
    Done,
}

/// What a row is tied to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
