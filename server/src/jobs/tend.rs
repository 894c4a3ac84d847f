//! What keeps a node's jobs in order, done by every worker now and then; twice does no harm.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};

use super::aftermath::followed;
use crate::db::{JobsTx, Ledger};

/// Rows at a time.
const BATCH: i64 = 1000;

/// What a round did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tended {
    /// Jobs whose time has come.
    pub(super) due: u64,
    /// Jobs of workers that are gone.
    pub(super) rescued: u64,
}

/// Jobs whose time has come.
const DUE: &str = "UPDATE jobs.job j SET state = 'ready'
    FROM (SELECT id FROM jobs.job WHERE state = 'scheduled' AND run_at <= clock_timestamp()
        ORDER BY run_at LIMIT $1 FOR UPDATE SKIP LOCKED) due
    WHERE j.id = due.id";

/// Jobs whose lease has ended: whoever had them can't commit any more. A job that takes its workers
/// with it is buried when it has had its attempts.
const RESCUED: &str = "UPDATE jobs.job j SET worker = NULL, lease_until = NULL,
        state = CASE WHEN j.attempt >= j.max_attempts THEN 'dead' ELSE 'ready' END,
        ended_at = CASE WHEN j.attempt >= j.max_attempts THEN clock_timestamp() END,
        errors = j.errors || jsonb_build_array(jsonb_build_object('at', clock_timestamp(),
            'attempt', j.attempt, 'class', 'lost', 'worker', j.worker, 'error',
            'the worker stopped, or was stopped, before it was done'))
    FROM (SELECT id FROM jobs.job WHERE state = 'running' AND lease_until <= clock_timestamp()
        LIMIT $1 FOR UPDATE SKIP LOCKED) lost
    WHERE j.id = lost.id";

/// Jobs that are not to be begun leave the queue, and come back when they may. Mostly nothing is paused:
/// then all that is ready isn't even looked at.
const HELD: &str = "UPDATE jobs.job j SET state = 'held'
    FROM (SELECT r.id FROM jobs.job r JOIN jobs.pause p
            ON p.tenant IN ('*', r.tenant) AND p.kind IN ('*', r.kind)
        WHERE r.state = 'ready' AND EXISTS (SELECT FROM jobs.pause)
        LIMIT $1 FOR UPDATE OF r SKIP LOCKED) paused
    WHERE j.id = paused.id";
const RELEASED: &str = "UPDATE jobs.job j SET state = 'ready'
    FROM (SELECT h.id FROM jobs.job h WHERE h.state = 'held' AND NOT EXISTS (
            SELECT FROM jobs.pause p WHERE p.tenant IN ('*', h.tenant) AND p.kind IN ('*', h.kind))
        LIMIT $1 FOR UPDATE SKIP LOCKED) free
    WHERE j.id = free.id";

/// What is kept no longer.
const FORGOTTEN: [&str; 2] = [
    "DELETE FROM jobs.job WHERE id IN (SELECT id FROM jobs.job WHERE state = 'done'
        AND ended_at + keep_seconds * interval '1 s' <= clock_timestamp() LIMIT $1)",
    "DELETE FROM jobs.unique_key u WHERE (u.tenant, u.kind, u.key) IN (
        SELECT k.tenant, k.kind, k.key FROM jobs.unique_key k
        WHERE k.held_until <= clock_timestamp() AND NOT EXISTS (SELECT FROM jobs.job j
            WHERE j.id = k.job_id AND j.state IN ('scheduled', 'ready', 'held', 'running'))
        LIMIT $1 FOR UPDATE SKIP LOCKED)",
];
const BURIED: &str =
    "DELETE FROM jobs.job WHERE id IN (SELECT id FROM jobs.job WHERE state = 'dead'
    AND ended_at <= clock_timestamp() - $2 * interval '1 day' LIMIT $1)";

/// Brings back what waits or was lost.
pub(super) async fn tend(ledger: &Ledger) -> Result<Tended, DbErr> {
    let due = in_batches(ledger, DUE).await?;
    let rescued = in_batches(ledger, &followed(RESCUED)).await?;
    in_batches(ledger, HELD).await?;
    let released = in_batches(ledger, RELEASED).await?;
    Ok(Tended {
        due: due + released,
        rescued,
    })
}

/// Removes what is kept no longer.
pub(super) async fn forget(ledger: &Ledger, dead_days: u32) -> Result<(), DbErr> {
    for sql in FORGOTTEN {
        in_batches(ledger, sql).await?;
    }
    ledger
        .write(async |tx| {
            let values = [BATCH.into(), i64::from(dead_days).into()];
            let statement = Statement::from_sql_and_values(DbBackend::Postgres, BURIED, values);
            tx.execute_raw(statement).await.map(drop)
        })
        .await
}

async fn in_batches(ledger: &Ledger, sql: &str) -> Result<u64, DbErr> {
    let mut total = 0;
    loop {
        let touched = ledger.write(async |tx| touch(tx, sql).await).await?;
        total += touched;
        if touched < BATCH.unsigned_abs() {
            return Ok(total);
        }
    }
}

async fn touch(tx: &JobsTx, sql: &str) -> Result<u64, DbErr> {
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, [BATCH.into()]);
    Ok(tx.execute_raw(statement).await?.rows_affected())
}
