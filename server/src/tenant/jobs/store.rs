//! A dealer's jobs through what its role may see of them, and do to them.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, FromQueryResult, Statement, Value};
use time::OffsetDateTime;
use uuid::Uuid;

use super::wire::JobState;
use crate::db::{TenantTx, Wake};

/// A job.
#[derive(Debug, Clone, FromQueryResult)]
pub(super) struct Row {
    pub id: Uuid,
    pub queue: String,
    pub kind: String,
    pub state: String,
    pub priority: i16,
    pub run_at: OffsetDateTime,
    pub attempt: i32,
    pub max_attempts: i32,
    pub started_at: Option<OffsetDateTime>,
    pub trace: Option<String>,
    pub enqueued_at: OffsetDateTime,
    pub ended_at: Option<OffsetDateTime>,
    pub last_error: Option<String>,
    /// What it carries and all its errors, where one job is asked for.
    pub payload: Option<serde_json::Value>,
    pub errors: Option<serde_json::Value>,
}

/// Which jobs.
#[derive(Debug, Clone, Default)]
pub(super) struct Filter {
    pub kind: Option<String>,
    pub state: Option<JobState>,
}

/// What is done to jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    Retry,
    Discard,
}

impl Deed {
    const fn function(self) -> &'static str {
        match self {
            Self::Retry => "shared.retry_jobs",
            Self::Discard => "shared.discard_jobs",
        }
    }
}

const COLUMNS: &str = "id, queue, kind, state, priority, run_at, attempt, max_attempts, started_at,
    trace, enqueued_at, ended_at, errors -> -1 ->> 'error' AS last_error";
const MATCHES: &str = "($1::text IS NULL OR kind = $1) AND ($2::text IS NULL OR state = $2)";

/// The newest first, before one.
pub(super) async fn newest(
    tx: &TenantTx,
    filter: &Filter,
    before: Option<Uuid>,
    limit: u64,
) -> Result<Vec<Row>, DbErr> {
    let sql = format!(
        "SELECT {COLUMNS}, NULL::jsonb AS payload, NULL::jsonb AS errors FROM shared.own_job
         WHERE {MATCHES} AND ($3::uuid IS NULL OR id < $3) ORDER BY id DESC LIMIT $4"
    );
    let mut values = filter.values();
    values.extend([before.into(), limit.into()]);
    Row::find_by_statement(Statement::from_sql_and_values(
        DbBackend::Postgres,
        sql,
        values,
    ))
    .all(tx)
    .await
}

/// One, with what it carries.
pub(super) async fn find(tx: &TenantTx, id: Uuid) -> Result<Option<Row>, DbErr> {
    let sql = format!("SELECT {COLUMNS}, payload, errors FROM shared.own_job WHERE id = $1");
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, [id.into()]);
    Row::find_by_statement(statement).one(tx).await
}

/// Whether the death of a job of this kind, told just now, is the first of its kind that was told since
/// a time. Beyond some hundred events nobody looks back.
pub(super) async fn is_first_death(
    tx: &TenantTx,
    kind: &str,
    since: OffsetDateTime,
) -> Result<bool, DbErr> {
    let sql = "SELECT count(*) <= 1 AS is_first FROM event
        WHERE id > (SELECT last_id FROM event_head) - 500 AND kind = 'job.dead' AND at > $2
            AND data ->> 'kind' = $1";
    let values = [kind.into(), since.into()];
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    let row = tx.query_one_raw(statement).await?;
    row.map_or(Ok(true), |row| row.try_get("", "is_first"))
}

/// Does something to jobs, as far as they stand where it can be done. Answers with their number.
pub(super) async fn change(tx: &TenantTx, deed: Deed, ids: &[Uuid]) -> Result<u64, DbErr> {
    let sql = format!("SELECT count(*) AS changed FROM {}($1)", deed.function());
    changed(tx, deed, sql, vec![ids.to_vec().into()]).await
}

/// The same for all that match, so many at most.
pub(super) async fn change_all(
    tx: &TenantTx,
    deed: Deed,
    filter: &Filter,
    most: u64,
) -> Result<u64, DbErr> {
    let sql = format!(
        "SELECT count(*) AS changed FROM {}(ARRAY(
             SELECT id FROM shared.own_job WHERE {MATCHES} ORDER BY id LIMIT $3))",
        deed.function()
    );
    let mut values = filter.values();
    values.push(most.into());
    changed(tx, deed, sql, values).await
}

async fn changed(tx: &TenantTx, deed: Deed, sql: String, values: Vec<Value>) -> Result<u64, DbErr> {
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    let row = tx.query_one_raw(statement).await?;
    let row = row.ok_or_else(|| DbErr::RecordNotFound("a number of jobs".to_owned()))?;
    if deed == Deed::Retry {
        tx.wake(Wake::Jobs);
    }
    let changed: i64 = row.try_get("", "changed")?;
    Ok(changed.unsigned_abs())
}

impl Filter {
    fn values(&self) -> Vec<Value> {
        let state = self.state.map(|state| state.as_str().to_owned());
        vec![self.kind.clone().into(), state.into()]
    }
}
