//! What operators see of a node's jobs, and do to them.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, FromQueryResult, Statement, Value};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::db::Ledger;

/// Lines of a summary.
const TOP: i64 = 20;

/// Every tenant, or every kind, where a pause names none.
const ANY: &str = "*";

/// Jobs of one sort, counted.
#[derive(Debug, Clone, FromQueryResult)]
pub struct Summary {
    /// What they have in common: a queue, a kind, or a tenant's schema.
    pub of: String,
    /// Waiting for a worker.
    pub ready: i64,
    /// Waiting for their time.
    pub scheduled: i64,
    /// Kept out of the queue.
    pub held: i64,
    /// Under way.
    pub running: i64,
    /// Dead letters.
    pub dead: i64,
    /// Not dead, and failed at least once.
    pub failing: i64,
    /// How long the first of those that wait for a worker has waited, milliseconds.
    pub oldest_ms: i64,
}

/// What must not be begun.
#[derive(Debug, Clone, FromQueryResult)]
pub struct Pause {
    /// A tenant's schema, or `*`.
    pub tenant: String,
    /// A kind, or `*`.
    pub kind: String,
    /// Why.
    pub reason: String,
    /// Since when.
    pub paused_at: OffsetDateTime,
}

/// A node's jobs at a glance.
#[derive(Debug, Clone)]
pub struct Overview {
    /// By queue.
    pub queues: Vec<Summary>,
    /// By kind, those with most jobs.
    pub kinds: Vec<Summary>,
    /// By tenant, those with most jobs.
    pub tenants: Vec<Summary>,
    /// What is paused.
    pub pauses: Vec<Pause>,
}

/// A dead letter.
#[derive(Debug, Clone, FromQueryResult)]
pub struct Letter {
    /// The job.
    pub id: Uuid,
    /// Whose: a schema, or nothing for the platform's own.
    pub tenant: String,
    /// What it is.
    pub kind: String,
    /// What it carries.
    pub payload: serde_json::Value,
    /// Attempts so far.
    pub attempt: i32,
    /// What went wrong.
    pub errors: serde_json::Value,
    /// When it was handed over.
    pub enqueued_at: OffsetDateTime,
    /// When it was given up.
    pub ended_at: Option<OffsetDateTime>,
}

/// Which dead letters.
#[derive(Debug, Clone, Default)]
pub struct Letters {
    /// By their ids.
    pub ids: Option<Vec<Uuid>>,
    /// Of a tenant, by its schema.
    pub tenant: Option<String>,
    /// Of a kind.
    pub kind: Option<String>,
}

/// Where a dead letter stands among the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LetterPlace {
    /// When it was given up.
    pub ended_at: OffsetDateTime,
    /// The job.
    pub id: Uuid,
}

const DEAD: &str = "state = 'dead' AND ($1::uuid[] IS NULL OR id = ANY ($1))
    AND ($2::text IS NULL OR tenant = $2) AND ($3::text IS NULL OR kind = $3)";

/// Looks at a node's jobs.
///
/// # Errors
///
/// When the database refuses.
pub async fn overview(ledger: &Ledger) -> Result<Overview, DbErr> {
    let summary = |by: &str| {
        format!(
            "SELECT {by} AS of, count(*) FILTER (WHERE state = 'ready') AS ready,
                 count(*) FILTER (WHERE state = 'scheduled') AS scheduled,
                 count(*) FILTER (WHERE state = 'held') AS held,
                 count(*) FILTER (WHERE state = 'running') AS running,
                 count(*) FILTER (WHERE state = 'dead') AS dead,
                 count(*) FILTER (WHERE state <> 'dead' AND errors <> '[]') AS failing,
                 greatest(0, coalesce(extract(epoch FROM clock_timestamp()
                     - min(run_at) FILTER (WHERE state = 'ready')) * 1000, 0))::bigint AS oldest_ms
             FROM jobs.job WHERE state <> 'done' GROUP BY {by} ORDER BY count(*) DESC, {by} LIMIT $1"
        )
    };
    let [queues, kinds, tenants] = ["queue", "kind", "tenant"].map(summary);
    let pauses = "SELECT tenant, kind, reason, paused_at FROM jobs.pause ORDER BY tenant, kind";
    ledger
        .read(async |tx| {
            let all = |sql: String| {
                let top = [TOP.into()];
                let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, top);
                Summary::find_by_statement(statement).all(tx)
            };
            Ok(Overview {
                queues: all(queues).await?,
                kinds: all(kinds).await?,
                tenants: all(tenants).await?,
                pauses: Pause::find_by_statement(Statement::from_string(
                    DbBackend::Postgres,
                    pauses,
                ))
                .all(tx)
                .await?,
            })
        })
        .await
}

/// Dead letters, the newest first, and of those only what comes after a place among them.
///
/// # Errors
///
/// When the database refuses.
pub async fn letters(
    ledger: &Ledger,
    which: &Letters,
    after: Option<LetterPlace>,
    most: u64,
) -> Result<Vec<Letter>, DbErr> {
    let sql = format!(
        "SELECT id, tenant, kind, payload, attempt, errors, enqueued_at, ended_at FROM jobs.job
         WHERE {DEAD} AND ($5::timestamptz IS NULL OR (ended_at, id) < ($5, $6))
         ORDER BY ended_at DESC, id DESC LIMIT $4"
    );
    let mut values = which.values();
    values.push(most.into());
    let (ended_at, id) = after.map(|it| (it.ended_at, it.id)).unzip();
    values.extend([ended_at.into(), id.into()]);
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    ledger
        .read(async |tx| Letter::find_by_statement(statement).all(tx).await)
        .await
}

/// Gives dead letters another attempt. Answers with their number.
///
/// # Errors
///
/// When the database refuses.
pub async fn retry(ledger: &Ledger, ids: &[Uuid]) -> Result<u64, DbErr> {
    let sql = "UPDATE jobs.job SET state = 'ready', run_at = clock_timestamp(), ended_at = NULL,
            max_attempts = greatest(max_attempts, attempt + 1)
        WHERE id = ANY ($1) AND state = 'dead'";
    execute(ledger, sql, vec![ids.to_vec().into()]).await
}

/// Removes dead letters. Answers with their number.
///
/// # Errors
///
/// When the database refuses.
pub async fn discard(ledger: &Ledger, ids: &[Uuid]) -> Result<u64, DbErr> {
    let sql = "DELETE FROM jobs.job WHERE id = ANY ($1) AND state = 'dead'";
    execute(ledger, sql, vec![ids.to_vec().into()]).await
}

/// Lets nobody begin jobs of a tenant (by its schema), of a kind, or of both; twice is once, with the
/// newer reason.
///
/// # Errors
///
/// When the database refuses.
pub async fn pause(
    ledger: &Ledger,
    tenant: Option<&str>,
    kind: Option<&str>,
    reason: &str,
) -> Result<(), DbErr> {
    let sql = "INSERT INTO jobs.pause (tenant, kind, reason, paused_at)
        VALUES ($1, $2, $3, clock_timestamp())
        ON CONFLICT ON CONSTRAINT pause_pkey DO UPDATE SET reason = excluded.reason";
    let values = vec![
        tenant.unwrap_or(ANY).into(),
        kind.unwrap_or(ANY).into(),
        reason.into(),
    ];
    execute(ledger, sql, values).await.map(drop)
}

/// Takes that back. Says whether there was anything to take back.
///
/// # Errors
///
/// When the database refuses.
pub async fn resume(
    ledger: &Ledger,
    tenant: Option<&str>,
    kind: Option<&str>,
) -> Result<bool, DbErr> {
    let sql = "DELETE FROM jobs.pause WHERE tenant = $1 AND kind = $2";
    let values = vec![tenant.unwrap_or(ANY).into(), kind.unwrap_or(ANY).into()];
    Ok(execute(ledger, sql, values).await? > 0)
}

async fn execute(ledger: &Ledger, sql: &str, values: Vec<Value>) -> Result<u64, DbErr> {
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    ledger
        .write(async |tx| Ok(tx.execute_raw(statement).await?.rows_affected()))
        .await
}

impl Letters {
    fn values(&self) -> Vec<Value> {
        let no_ids: Value = None::<Vec<Uuid>>.into();
        let ids = self.ids.clone().map_or(no_ids, Into::into);
        vec![ids, self.tenant.clone().into(), self.kind.clone().into()]
    }
}
