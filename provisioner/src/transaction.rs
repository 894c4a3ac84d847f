//! The one place that opens transactions, and the rules they keep: read committed, bounded waits,
//! nothing set on the session, and never abandoned half-way.

use std::panic::resume_unwind;
use std::time::Duration;

use sea_orm::{
    AccessMode, ConnectionTrait as _, DatabaseConnection, DatabaseTransaction, DbErr,
    IsolationLevel, TransactionTrait as _,
};
use tracing::Instrument as _;

use crate::SchemaName;

/// How long a transaction may wait for a lock, and how long one of its statements may run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) lock_timeout: Duration,
    pub(crate) statement_timeout: Duration,
    /// When the database ends a transaction whose client has fallen silent; never, where we may
    /// have long work to do between two statements.
    pub(crate) silence: Option<Duration>,
}

/// Opens a transaction. Call it inside of [`to_the_end`] only: sqlx 0.9.0 puts a connection whose
/// `begin` was cancelled back into the pool with the transaction half open.
pub(crate) async fn begin(
    db: &DatabaseConnection,
    limits: Limits,
) -> Result<DatabaseTransaction, DbErr> {
    let tx = db
        .begin_with_config(Some(IsolationLevel::ReadCommitted), None)
        .await?;
    // Whatever path the login came with must not decide where DDL lands.
    let sql = format!(
        "SET LOCAL search_path = pg_catalog, pg_temp; {}",
        bounds(limits)
    );
    tx.execute_unprepared(&sql).await?;
    Ok(tx)
}

/// Opens a transaction that writes nothing and sees one moment of a tenant's rows, however long it
/// lasts. As with [`begin`], inside of [`to_the_end`] only.
pub(crate) async fn begin_to_look(
    db: &DatabaseConnection,
    schema: &SchemaName,
) -> Result<DatabaseTransaction, DbErr> {
    let moment = Some(IsolationLevel::RepeatableRead);
    let tx = db
        .begin_with_config(moment, Some(AccessMode::ReadOnly))
        .await?;
    enter(&tx, schema).await?;
    Ok(tx)
}

/// Goes on as the role that owns the platform, if we are another one that may (a superuser): what
/// we make must belong to one role whoever calls, since default privileges are that role's, and a
/// table of another owner would be closed to its tenant. On a node without a platform it is the
/// role that owns schema `shared`.
pub(crate) async fn act_as_owner(tx: &DatabaseTransaction) -> Result<(), DbErr> {
    tx.execute_unprepared(
        "DO $body$
        DECLARE
            owner name := (SELECT pg_get_userbyid(nspowner) FROM pg_namespace
                WHERE nspname IN ('platform', 'shared') ORDER BY nspname LIMIT 1);
        BEGIN
            IF owner <> current_user THEN
                EXECUTE format('SET LOCAL ROLE %I', owner);
            END IF;
        END $body$",
    )
    .await?;
    Ok(())
}

/// Sets the limits of the rest of the transaction.
pub(crate) async fn bound_waits(tx: &DatabaseTransaction, limits: Limits) -> Result<(), DbErr> {
    tx.execute_unprepared(&bounds(limits)).await?;
    Ok(())
}

fn bounds(limits: Limits) -> String {
    let silence = limits.silence.map_or_else(String::new, |silence| {
        let most = silence.as_millis();
        format!("; SET LOCAL idle_in_transaction_session_timeout = {most}")
    });
    format!(
        "SET LOCAL lock_timeout = {}; SET LOCAL statement_timeout = {}{silence}",
        limits.lock_timeout.as_millis(),
        limits.statement_timeout.as_millis(),
    )
}

/// Points the rest of the transaction at a tenant's schema. `pg_temp` comes last, so that no
/// temporary table can stand in for a real one.
pub(crate) async fn enter(tx: &DatabaseTransaction, schema: &SchemaName) -> Result<(), DbErr> {
    tx.execute_unprepared(&format!(
        "SET LOCAL search_path = {schema}, shared, pg_temp"
    ))
    .await?;
    Ok(())
}

/// Ends a transaction the way its work ended. A rollback that fails is only logged: the connection
/// is gone then, and the server has rolled back by itself.
pub(crate) async fn finish<T, E: From<DbErr>>(
    tx: DatabaseTransaction,
    outcome: Result<T, E>,
) -> Result<T, E> {
    match outcome {
        Ok(value) => {
            tx.commit().await?;
            Ok(value)
        }
        Err(error) => {
            if let Err(cause) = tx.rollback().await {
                tracing::debug!(error = %cause, "could not roll back, the connection is gone");
            }
            Err(error)
        }
    }
}

/// Runs `work` on a task of its own, so that a caller who stops waiting does not stop the work:
/// it ends with its commit or its rollback, and its connection goes back clean.
pub(crate) async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> T {
    match tokio::spawn(work.in_current_span()).await {
        Ok(value) => value,
        Err(join) => match join.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            // Nobody aborts the task, so the runtime itself is going down, and we with it.
            Err(_) => std::future::pending().await,
        },
    }
}
