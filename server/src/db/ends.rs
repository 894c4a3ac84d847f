//! The two ends of a transaction, as they are said on the wire: each is one message.
//!
//! sqlx counts the transactions of a connection and ends them by messages of its own, which take no
//! statement along. Here a commit is said past that count, so it stays at one; sqlx is asked for the
//! start that it lets pass only at none, and for rollbacks, which it alone can queue unseen.

use futures_util::FutureExt;
use sqlx::{AssertSqlSafe, Connection, Database, Executor, Postgres, SqlSafeStr};
use sqlx_core::transaction::TransactionManager;

use super::pool::Lease;

type Manager = <Postgres as Database>::TransactionManager;

/// How much of a message the wire took at once.
pub(super) enum Told {
    InFull,
    InPart,
    /// The wire is broken.
    NotAtAll,
}

/// Opens a transaction; whoever stops waiting for it leaves the connection in doubt.
pub(super) async fn begin(lease: &mut Lease, start: &str) -> Result<(), sqlx::Error> {
    lease.doubt();
    let start = AssertSqlSafe(start);
    if Manager::get_transaction_depth(lease.raw()) > 0 {
        return lease.raw().execute(start).await.map(drop);
    }
    Manager::begin(lease.raw(), Some(start.into_sql_str())).await
}

/// Sends `last`, which ends with the commit. Where a statement before it is refused, Postgres leaves
/// the message there, so that no commit is ever taken for a rollback.
pub(super) async fn commit(lease: &mut Lease, last: String) -> Result<(), sqlx::Error> {
    lease.raw().execute(AssertSqlSafe(last)).await.map(drop)
}

/// Rolls back and waits for the answer.
pub(super) async fn roll_back(lease: &mut Lease) -> Result<(), sqlx::Error> {
    Manager::rollback(lease.raw()).await
}

/// Sends the rollback without waiting for its answer, which whoever comes next on this wire reads
/// first.
pub(super) fn tell_to_end(lease: &mut Lease) -> Told {
    Manager::start_rollback(lease.raw());
    let flush = tokio::task::coop::unconstrained(lease.raw().flush());
    match flush.now_or_never() {
        Some(Ok(())) => Told::InFull,
        Some(Err(_)) => Told::NotAtAll,
        None if lease.raw().should_flush() => Told::InPart,
        None => Told::InFull,
    }
}

/// A statement that nobody waits for any more is waited out, since its backend is busy for that
/// long; then the connection goes, because it was left in the middle of an answer.
pub(super) async fn wait_for_the_end(mut lease: Lease, was_asking: bool) {
    let is_over = lease.raw().flush().await.is_ok();
    if is_over && !was_asking {
        lease.trust();
    }
}
