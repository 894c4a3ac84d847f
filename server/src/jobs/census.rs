//! Counts a node's jobs: how many there are in which state, and how long they have been due.

use std::time::Duration;

use sea_orm::{DbBackend, DbErr, FromQueryResult, Statement};

use super::stats::Depth;
use crate::db::Ledger;

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
    Ok(depths.collect())
}
