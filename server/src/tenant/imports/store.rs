//! Imports themselves: where each stands, and how it goes from there.

use ::entity::tenant::import::{ActiveModel, Column, Entity, Model};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ActiveValue::NotSet, ActiveValue::Set, ColumnTrait, ConnectionTrait,
    DbBackend, DbErr, EntityTrait, Iterable, QueryFilter, QueryOrder, QuerySelect, Statement,
    Value,
};
use serde::Serialize;
use serde_json::{Value as Json, json};
use time::OffsetDateTime;
use uuid::Uuid;

use super::error::ImportError;
use super::model::{Arrived, Options, Plan, Status, Summary};
use super::pricefile::Mapping;
use crate::db::TenantTx;

/// An import at a moment.
#[derive(Debug, Clone)]
pub(super) struct Import {
    pub row: Model,
    pub status: Status,
    pub options: Options,
    pub summary: Summary,
}

impl TryFrom<Model> for Import {
    type Error = DbErr;

    fn try_from(row: Model) -> Result<Self, DbErr> {
        let unreadable = |error: serde_json::Error| DbErr::Json(error.to_string());
        let status = Status::named(&row.status)
            .ok_or_else(|| DbErr::Json(format!("no status of an import: {}", row.status)))?;
        Ok(Self {
            status,
            options: serde_json::from_value(row.options.clone()).map_err(unreadable)?,
            summary: serde_json::from_value(row.summary.clone()).map_err(unreadable)?,
            row,
        })
    }
}

impl Import {
    /// Whether its rows, its samples and the way back are still there.
    pub(super) fn has_details(&self) -> bool {
        self.row.details == "kept"
    }

    /// How its file is read, once that is known.
    pub(super) fn plan(&self) -> Option<Plan> {
        let plan = self.row.plan.clone()?;
        serde_json::from_value(plan).ok()
    }
}

/// How an import goes on. What is left out stays.
#[derive(Debug, Default)]
pub(super) struct Turn<'a> {
    pub plan: Option<&'a Plan>,
    pub summary: Option<&'a Summary>,
    pub rows_total: Option<i64>,
    pub rows_done: Option<i64>,
    pub checkpoint: Option<i64>,
    pub job: Option<Uuid>,
    pub error: Option<&'a Json>,
}

pub(super) async fn insert(
    tx: &TenantTx,
    arrived: &Arrived,
    asked: (Option<Uuid>, Option<Json>, &Options),
    by: Uuid,
    now: OffsetDateTime,
) -> Result<Import, ImportError> {
    let (profile, mapping, options) = asked;
    let new = ActiveModel {
        id: Set(arrived.id),
        status: Set(Status::Uploaded.as_str().to_owned()),
        file_name: Set(arrived.file_name.clone()),
        file_bytes: Set(arrived.bytes),
        file_sha256: Set(arrived.sha256.to_vec()),
        profile_id: Set(profile),
        mapping: Set(mapping),
        options: Set(plain(options)),
        plan: Set(None),
        summary: Set(json!({})),
        rows_total: Set(None),
        rows_done: Set(0),
        checkpoint: Set(0),
        job_id: Set(None),
        requested_by: Set(Some(by)),
        error: NotSet,
        version: Set(1),
        created_at: Set(now),
        updated_at: Set(now),
        finished_at: NotSet,
        details: NotSet,
    };
    Ok(new.insert(tx).await?.try_into()?)
}

pub(super) async fn find(tx: &TenantTx, id: Uuid) -> Result<Import, ImportError> {
    let row = Entity::find_by_id(id).one(tx).await?;
    Ok(row.ok_or(ImportError::NotFound)?.try_into()?)
}

pub(super) async fn find_locked(tx: &TenantTx, id: Uuid) -> Result<Import, ImportError> {
    let row = Entity::find_by_id(id).lock_exclusive().one(tx).await?;
    Ok(row.ok_or(ImportError::NotFound)?.try_into()?)
}

/// The newest first, without their samples.
pub(super) async fn page(
    tx: &TenantTx,
    before: Option<Uuid>,
    limit: u64,
) -> Result<Vec<Import>, ImportError> {
    let others = Column::iter().filter(|column| !matches!(column, Column::Summary));
    let mut query = Entity::find()
        .select_only()
        .columns(others)
        .column_as(Expr::cust("summary - 'samples'"), Column::Summary)
        .order_by_desc(Column::Id)
        .limit(limit);
    if let Some(before) = before {
        query = query.filter(Column::Id.lt(before));
    }
    let rows = query.all(tx).await?.into_iter();
    Ok(rows.map(Import::try_from).collect::<Result<_, _>>()?)
}

/// Imports that are looked through for one whose rows came back.
const LOOKED_THROUGH: i64 = 500;

/// How the newest other import with these columns was read.
pub(super) async fn mapping_of(
    tx: &TenantTx,
    other_than: Uuid,
    columns: &[String],
) -> Result<Option<Mapping>, DbErr> {
    let sql = "SELECT plan->'mapping' AS mapping FROM (
            SELECT id, plan FROM import WHERE plan IS NOT NULL AND id <> $1
            ORDER BY id DESC LIMIT $2
        ) newest WHERE plan->'columns' = $3::jsonb ORDER BY id DESC LIMIT 1";
    let values = [
        other_than.into(),
        LOOKED_THROUGH.into(),
        plain(columns).into(),
    ];
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    let Some(row) = tx.query_one_raw(statement).await? else {
        return Ok(None);
    };
    let mapping: Json = row.try_get("", "mapping")?;
    Ok(serde_json::from_value(mapping).ok())
}

/// The import that was applied last and is not undone.
pub(super) async fn last_applied(tx: &TenantTx) -> Result<Option<Uuid>, DbErr> {
    let last = Entity::find()
        .filter(Column::Status.eq(Status::Applied.as_str()))
        .order_by_desc(Column::FinishedAt)
        .order_by_desc(Column::Id);
    Ok(last.one(tx).await?.map(|row| row.id))
}

/// Lets an import go on, if it still stands where its job thinks it does. Whoever stopped it has
/// changed that; then nothing is done, and the answer is no.
pub(super) async fn turn(
    tx: &TenantTx,
    id: Uuid,
    (from, to): (&[Status], Status),
    turn: Turn<'_>,
    now: OffsetDateTime,
) -> Result<bool, DbErr> {
    let sql = "UPDATE import SET status = $2, plan = coalesce($3::jsonb, plan),
            summary = coalesce($4::jsonb, summary), rows_total = coalesce($5, rows_total),
            rows_done = coalesce($6, rows_done), checkpoint = coalesce($7, checkpoint),
            job_id = coalesce($8, job_id), error = coalesce($9::jsonb, error),
            version = version + (status <> $2)::int, updated_at = $10,
            finished_at = CASE WHEN $11::bool THEN $10 ELSE finished_at END
        WHERE id = $1 AND status = ANY($12)";
    let from: Vec<String> = from
        .iter()
        .map(|status| status.as_str().to_owned())
        .collect();
    let values: [Value; 12] = [
        id.into(),
        to.as_str().into(),
        turn.plan.map(plain).into(),
        turn.summary.map(plain).into(),
        turn.rows_total.into(),
        turn.rows_done.into(),
        turn.checkpoint.into(),
        turn.job.into(),
        turn.error.cloned().into(),
        now.into(),
        to.is_over().into(),
        from.into(),
    ];
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    Ok(tx.execute_raw(statement).await?.rows_affected() == 1)
}

fn plain<T: Serialize + ?Sized>(value: &T) -> Json {
    serde_json::to_value(value).expect("what is kept of an import is made of plain values")
}
