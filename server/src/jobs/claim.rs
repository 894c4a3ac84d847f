//! Taking jobs: a few of each tenant in turn.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DbBackend, DbErr, FromQueryResult, Statement, Value};
use time::OffsetDateTime;
use uuid::Uuid;

use super::job::Queue;
use crate::db::Ledger;

/// A job that is ours until its lease ends.
#[derive(Debug, Clone, FromQueryResult)]
pub struct Claimed {
    /// Its id.
    pub id: Uuid,
    /// Whose: a schema's name, or nothing for the platform's own.
    pub tenant: String,
    /// What it is.
    pub kind: String,
    /// The version of what it carries.
    pub version: i16,
    /// What it carries.
    pub payload: serde_json::Value,
    /// The number of this attempt, from 1.
    pub attempt: i32,
    /// How many there may be.
    pub max_attempts: i32,
    /// What tells this claim from every other of the same job.
    pub fence: i64,
    /// On whose behalf.
    pub trace: Option<String>,
    /// When it was handed over, UTC.
    pub enqueued_at: OffsetDateTime,
    /// How long it was ready before it was taken, milliseconds.
    pub waited_ms: i64,
}

/// What is asked for.
#[derive(Debug, Clone)]
pub(super) struct Wanted<'a> {
    pub queue: Queue,
    /// Who asks.
    pub worker: Uuid,
    /// Most jobs.
    pub most: u32,
    /// Most of one tenant that may be under way, with all workers.
    pub per_tenant: u32,
    pub lease: Duration,
    /// The tenant that was last in turn.
    pub after: &'a str,
}

/// Whoever looks for jobs of a queue does it alone, so that a tenant's bound is exact. Short, and a
/// worker that is stopped in between is cut off by the database.
const ALONE: &str = "SELECT pg_advisory_xact_lock(hashtextextended('jobs ' || $1, 0))";

/// Tenants that have ready jobs and room for one more, from the one after the last in turn, found by
/// hopping through the index from the first job of one tenant to the first of the next: what it costs
/// grows with what is taken, not with what waits. Then the first of every tenant before the second of
/// any.
///
/// The index still holds what was taken since it was last vacuumed, in front of what is ready. That is
/// waded through once, to a tenant's first job: its others are looked for from there. Tenants compare
/// by `\"C\"`, as in the two indexes that are meant and in no other, and the jobs are taken by their ids
/// without a join: the transaction plans no scan of the table, and so there is one plan only, whatever
/// the statistics say.
const CLAIM: &str = "WITH RECURSIVE onward AS (
    (SELECT j.tenant, j.priority, j.run_at, j.id FROM jobs.job j
        WHERE j.queue = $1 AND j.state = 'ready' AND j.tenant COLLATE \"C\" > $5
        ORDER BY j.tenant COLLATE \"C\", j.priority, j.run_at, j.id LIMIT 1)
    UNION ALL
    SELECT next.* FROM onward CROSS JOIN LATERAL (
        SELECT j.tenant, j.priority, j.run_at, j.id FROM jobs.job j
        WHERE j.queue = $1 AND j.state = 'ready' AND j.tenant COLLATE \"C\" > onward.tenant
        ORDER BY j.tenant COLLATE \"C\", j.priority, j.run_at, j.id LIMIT 1) next
), round AS (
    (SELECT j.tenant, j.priority, j.run_at, j.id FROM jobs.job j
        WHERE j.queue = $1 AND j.state = 'ready' AND j.tenant COLLATE \"C\" <= $5
        ORDER BY j.tenant COLLATE \"C\", j.priority, j.run_at, j.id LIMIT 1)
    UNION ALL
    SELECT next.* FROM round CROSS JOIN LATERAL (
        SELECT j.tenant, j.priority, j.run_at, j.id FROM jobs.job j
        WHERE j.queue = $1 AND j.state = 'ready' AND j.tenant COLLATE \"C\" > round.tenant
            AND j.tenant COLLATE \"C\" <= $5
        ORDER BY j.tenant COLLATE \"C\", j.priority, j.run_at, j.id LIMIT 1) next
), turns AS (
    SELECT both_ways.*, free.room, row_number() OVER () AS turn
    FROM (SELECT * FROM onward UNION ALL SELECT * FROM round) both_ways
    CROSS JOIN LATERAL (SELECT least($2, $3 - count(*)) AS room FROM jobs.job r
        WHERE r.state = 'running' AND r.queue = $1
            AND r.tenant COLLATE \"C\" = both_ways.tenant) free
    WHERE free.room > 0 LIMIT $2
), candidates AS (
    SELECT picked.id, turns.turn,
        row_number() OVER (PARTITION BY turns.turn
            ORDER BY picked.priority, picked.run_at, picked.id) AS place
    FROM turns CROSS JOIN LATERAL (
        SELECT j.id, j.priority, j.run_at FROM jobs.job j
        WHERE j.queue = $1 AND j.state = 'ready' AND j.tenant COLLATE \"C\" = turns.tenant
            AND (j.priority, j.run_at, j.id) >= (turns.priority, turns.run_at, turns.id)
            AND NOT EXISTS (SELECT FROM jobs.pause p
                WHERE p.tenant IN ('*', j.tenant) AND p.kind IN ('*', j.kind))
        ORDER BY j.priority, j.run_at, j.id LIMIT turns.room
        FOR UPDATE SKIP LOCKED
    ) picked
)
UPDATE jobs.job j SET state = 'running', attempt = j.attempt + 1, fence = j.fence + 1,
    worker = $4, started_at = clock_timestamp(),
    lease_until = clock_timestamp() + $6 * interval '1 ms'
WHERE j.id = ANY (ARRAY(SELECT id FROM candidates ORDER BY place, turn LIMIT $2))
RETURNING j.id, j.tenant, j.kind, j.version, j.payload, j.attempt, j.max_attempts, j.fence, j.trace,
    j.enqueued_at,
    greatest(0, extract(epoch FROM clock_timestamp() - j.run_at) * 1000)::bigint AS waited_ms";

/// Takes jobs.
pub(super) async fn claim(ledger: &Ledger, wanted: Wanted<'_>) -> Result<Vec<Claimed>, DbErr> {
    let values: [Value; 6] = [
        wanted.queue.as_str().into(),
        i64::from(wanted.most).into(),
        i64::from(wanted.per_tenant).into(),
        wanted.worker.into(),
        wanted.after.into(),
        i64::try_from(wanted.lease.as_millis())
            .unwrap_or(i64::MAX)
            .into(),
    ];
    let queue = wanted.queue.as_str().into();
    ledger
        .write(async |tx| {
            tx.execute_raw(Statement::from_sql_and_values(
                DbBackend::Postgres,
                ALONE,
                [queue],
            ))
            .await?;
            let statement = Statement::from_sql_and_values(DbBackend::Postgres, CLAIM, values);
            Claimed::find_by_statement(statement).all(tx).await
        })
        .await
}
