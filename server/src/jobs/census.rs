//! Counts a node's jobs: how many there are in which state, and how long they have been due.

use std::time::Duration;

use sea_orm::{DbBackend, DbErr, FromQueryResult, Statement};

use super::job::Queue;
use super::stats::Depth;
use crate::db::Ledger;

/// What waits for a worker.
const READY: &str = "ready";

#[derive(FromQueryResult)]
struct Counted {
    queue: String,
    state: String,
    jobs: i64,
    oldest_ms: i64,
}

/// Jobs by queue and state.
pub(super) async fn count(ledger: &Ledger) -> Result<Vec<Depth>, DbErr> {
    let sql = "SELECT queue, state, count(*) AS jobs,
            greatest(0, extract(epoch FROM clock_timestamp() - min(run_at)) * 1000)::bigint
                AS oldest_ms
        FROM jobs.job WHERE state <> 'done' GROUP BY queue, state";
    let statement = Statement::from_string(DbBackend::Postgres, sql);
    let counted = ledger
        .read(async |tx| Counted::find_by_statement(statement).all(tx).await)
        .await?;
    let depths = counted.into_iter().map(|counted| Depth {
        queue: counted.queue,
        state: counted.state,
        jobs: counted.jobs.unsigned_abs(),
        oldest: Duration::from_millis(counted.oldest_ms.unsigned_abs()),
    });
    let mut depths: Vec<_> = depths.collect();
    // Nothing to do is told as well: it is not the silence of somebody who doesn't look.
    for queue in Queue::ALL.map(Queue::as_str) {
        let is_told = |depth: &Depth| depth.queue == queue && depth.state == READY;
        if !depths.iter().any(is_told) {
            depths.push(Depth {
                queue: queue.to_owned(),
                state: READY.to_owned(),
                jobs: 0,
                oldest: Duration::ZERO,
            });
        }
    }
    Ok(depths)
}
