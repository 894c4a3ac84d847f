//! Handing a job over.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement, Value};
use uuid::Uuid;

use super::job::{Job, Queue};
use crate::db::{JobsTx, TenantTx, Wake};

/// How a job is handed over, beyond what its kind says.
#[derive(Debug, Clone, Default)]
pub struct Enqueue {
    delay: Duration,
    priority: Option<i16>,
    unique: Option<(String, Duration)>,
    trace: Option<String>,
    attempts: Option<i32>,
}

/// What most jobs have: five, with four steps on either side.
const PRIORITY: i16 = 5;

impl Enqueue {
    /// As its kind says, as soon as may be.
    pub fn now() -> Self {
        Self::default()
    }

    /// Not before so long.
    pub fn after(delay: Duration) -> Self {
        Self {
            delay,
            ..Self::default()
        }
    }

    /// Before (0) or after (9) the tenant's others; they have 5.
    #[must_use]
    pub fn priority(mut self, priority: i16) -> Self {
        self.priority = Some(priority.clamp(0, 9));
        self
    }

    /// Not beside another of its kind and key that is still to be done, or that was handed over
    /// within `window`, done or not.
    #[must_use]
    pub fn unique(mut self, key: impl Into<String>, window: Duration) -> Self {
        self.unique = Some((key.into(), window));
        self
    }

    /// On whose behalf, as it stands in the log: the id of a request.
    #[must_use]
    pub fn trace(mut self, trace: Option<String>) -> Self {
        self.trace = trace;
        self
    }

    /// Attempts in all, where that isn't for the kind to say.
    #[must_use]
    pub fn attempts(mut self, attempts: i32) -> Self {
        self.attempts = Some(attempts.max(1));
        self
    }
}

/// Every value with its type: those of a statement that is put down for the commit are literals.
const HAND_OVER: &str = "SELECT shared.enqueue_job(CAST($1 AS uuid), CAST($2 AS text),
    CAST($3 AS text), CAST($4 AS smallint), CAST($5 AS jsonb), CAST($6 AS smallint),
    CAST($7 AS bigint), CAST($8 AS integer), CAST($9 AS integer), CAST($10 AS text),
    CAST($11 AS text), CAST($12 AS bigint)) AS id";

/// Hands a job over in the transaction that wants it done: it is there if that commits. Answers with
/// its id, or with that of the one that was there before under its key.
///
/// Without a key it costs no round trip: it is handed over in one message with the commit, and until
/// then the transaction itself doesn't see it.
///
/// # Errors
///
/// When the database refuses; without a key, that is an error of the commit.
///
/// # Panics
///
/// Never: what a job carries is made of plain values.
pub async fn enqueue<J: Job>(tx: &TenantTx, job: &J, how: Enqueue) -> Result<Uuid, DbErr> {
    let id = Uuid::now_v7();
    let (key, window) = how
        .unique
        .map_or((None, Duration::ZERO), |(key, window)| (Some(key), window));
    let has_key = key.is_some();
    let values: Vec<Value> = vec![
        id.into(),
        J::QUEUE.as_str().into(),
        J::KIND.into(),
        J::VERSION.into(),
        payload(job).into(),
        how.priority.unwrap_or(PRIORITY).into(),
        millis(how.delay).into(),
        how.attempts.unwrap_or(J::RETRY.attempts).into(),
        kept(J::KEPT).into(),
        how.trace.into(),
        key.into(),
        millis(window).into(),
    ];
    tx.wake(Wake::Jobs);
    if !has_key {
        tx.at_commit(HAND_OVER, values)?;
        return Ok(id);
    }
    // Whose job it is, only the database knows.
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, HAND_OVER, values);
    let row = tx.query_one_raw(statement).await?;
    let row = row.ok_or_else(|| DbErr::RecordNotFound("a job's id".to_owned()))?;
    row.try_get("", "id")
}

/// A job as the table has it, for handing over beside any tenant's transaction.
pub(super) struct Draft {
    queue: Queue,
    kind: &'static str,
    version: i16,
    payload: serde_json::Value,
    attempts: i32,
    kept: i32,
}

impl Draft {
    pub(super) fn of<J: Job>(job: &J) -> Self {
        Self {
            queue: J::QUEUE,
            kind: J::KIND,
            version: J::VERSION,
            payload: payload(job),
            attempts: J::RETRY.attempts,
            kept: kept(J::KEPT),
        }
    }
}

/// Hands a job of each of these tenants (by schema; an empty name is the platform) to a node's
/// workers, anywhere within `spread_ms`. Whoever has one of the kind that is still to be done gets no
/// second. Answers with their number.
pub(super) async fn hand_out(
    tx: &JobsTx,
    draft: &Draft,
    tenants: &[String],
    spread_ms: i64,
) -> Result<u64, DbErr> {
    let sql = "INSERT INTO jobs.job (id, tenant, queue, kind, version, payload, priority, state,
            run_at, max_attempts, keep_seconds, enqueued_at)
        SELECT id, whose, $3, $4, $5, $6, $7, CASE WHEN later > 0 THEN 'scheduled' ELSE 'ready' END,
            clock_timestamp() + later * interval '1 ms', $8, $9, clock_timestamp()
        FROM (SELECT *, floor(random() * $10)::bigint AS later
            FROM unnest($1::uuid[], $2::text[]) AS new (id, whose)) new
        WHERE NOT EXISTS (SELECT FROM jobs.job j WHERE j.tenant = whose AND j.kind = $4
            AND j.state IN ('scheduled', 'ready', 'held', 'running'))";
    let ids: Vec<Uuid> = tenants.iter().map(|_| Uuid::now_v7()).collect();
    let values: [Value; 10] = [
        ids.into(),
        tenants.to_vec().into(),
        draft.queue.as_str().into(),
        draft.kind.into(),
        draft.version.into(),
        draft.payload.clone().into(),
        PRIORITY.into(),
        draft.attempts.into(),
        draft.kept.into(),
        spread_ms.into(),
    ];
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    Ok(tx.execute_raw(statement).await?.rows_affected())
}

fn payload<J: Job>(job: &J) -> serde_json::Value {
    serde_json::to_value(job).expect("what a job carries is made of plain values")
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 2)
}

fn kept(duration: Duration) -> i32 {
    i32::try_from(duration.as_secs()).unwrap_or(i32::MAX)
}
