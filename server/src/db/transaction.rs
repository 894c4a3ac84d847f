//! A transaction on one connection, opened by one message behind a guard.
//!
//! sqlx 0.9.0 gives a connection back to the pool *inside* the transaction when `begin` is
//! cancelled or fails half-way (transact-rs/sqlx #4385, #4409). So nothing goes back before the
//! start was confirmed, nor after a commit whose answer was never read: such a connection is
//! closed instead.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, Ordering};

use sea_orm::{
    ConnAcquireErr, ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr,
    Statement, Values,
};
use sea_query_sqlx::SqlxValues;
use sqlx::pool::PoolConnection;
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Connection, Database, Executor, Postgres, SqlSafeStr};
use sqlx_core::transaction::TransactionManager;
use tokio::sync::Mutex;

use super::failure::is_connection_lost;
use super::pool::Pool;

/// A transaction in one dealer's schema, under that dealer's role.
pub type TenantTx = Tx<TenantScope>;
/// A transaction in the platform's schema.
pub type PlatformTx = Tx<PlatformScope>;

/// Marks a dealer's transaction.
#[derive(Debug)]
pub enum TenantScope {}
/// Marks the platform's transaction.
#[derive(Debug)]
pub enum PlatformScope {}

/// An open transaction; it rolls back when dropped.
pub struct Tx<Scope> {
    /// Gone only once the transaction has ended.
    connection: Option<Mutex<PoolConnection<Postgres>>>,
    /// Begins every statement's text, so that each dealer has its own prepared statements.
    tag: String,
    stale_plan: AtomicBool,
    scope: PhantomData<fn() -> Scope>,
}

impl<Scope> Tx<Scope> {
    /// Opens a transaction with `start`, which is `BEGIN` and what belongs to it in one message.
    ///
    /// The pool's time limit holds for all of it: a database that has fallen silent accepts the
    /// message and never answers.
    pub(super) async fn open(pool: &Pool, start: &str, tag: String) -> Result<Self, DbErr> {
        tokio::time::timeout(pool.patience(), Self::begin(pool, start, tag))
            .await
            .unwrap_or_else(|_| Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)))
    }

    /// Connections that died while they lay idle are replaced here: nothing has been done yet,
    /// so trying again is safe.
    async fn begin(pool: &Pool, start: &str, tag: String) -> Result<Self, DbErr> {
        let mut dead_ones_left = pool.width();
        loop {
            let mut guard = Unconfirmed(Some(pool.acquire().await?));
            match begin(guard.connection(), start).await {
                Ok(()) => return Ok(Self::on(guard.confirmed(), tag)),
                Err(error) if is_connection_lost(&error) && dead_ones_left > 0 => {
                    dead_ones_left -= 1;
                }
                Err(error) => return Err(query_error(error)),
            }
        }
    }

    fn on(connection: PoolConnection<Postgres>, tag: String) -> Self {
        Self {
            connection: Some(Mutex::new(connection)),
            tag,
            stale_plan: AtomicBool::new(false),
            scope: PhantomData,
        }
    }

    /// Makes the work permanent. Takes the transaction itself: a borrower can't end it.
    ///
    /// # Errors
    ///
    /// When the database refuses, or the answer is lost; the outcome is then unknown.
    pub async fn commit(mut self) -> Result<(), DbErr> {
        let mut guard = Unconfirmed(self.connection.take().map(Mutex::into_inner));
        <Postgres as Database>::TransactionManager::commit(guard.connection())
            .await
            .map_err(exec_error)?;
        drop(guard.confirmed());
        Ok(())
    }

    /// Whether a statement failed because its plan was made before a migration (SQLSTATE 0A000).
    pub(super) fn met_a_stale_plan(&self) -> bool {
        self.stale_plan.load(Ordering::Relaxed)
    }

    /// Rolls back, drops the connection's prepared statements, whose plans are out of date, and
    /// begins again on the same connection: any other may hold stale plans of its own.
    pub(super) async fn with_fresh_plans(mut self, start: &str) -> Result<Self, DbErr> {
        let mut guard = Unconfirmed(self.connection.take().map(Mutex::into_inner));
        let connection = guard.connection();
        <Postgres as Database>::TransactionManager::rollback(connection)
            .await
            .map_err(exec_error)?;
        connection
            .clear_cached_statements()
            .await
            .map_err(exec_error)?;
        begin(connection, start).await.map_err(query_error)?;
        Ok(Self::on(guard.confirmed(), std::mem::take(&mut self.tag)))
    }

    fn connection(&self) -> &Mutex<PoolConnection<Postgres>> {
        self.connection
            .as_ref()
            .expect("only a consuming method takes the connection")
    }

    fn query(&self, statement: Statement) -> Query<'static, Postgres, SqlxValues> {
        let text = format!("{}{}", self.tag, statement.sql);
        sqlx::query_with(
            AssertSqlSafe(text),
            SqlxValues(statement.values.unwrap_or(Values(Vec::new()))),
        )
    }

    fn noticing<T>(
        &self,
        result: Result<T, sqlx::Error>,
        turn: fn(sqlx::Error) -> DbErr,
    ) -> Result<T, DbErr> {
        result.map_err(|error| {
            if is_stale_plan(&error) {
                self.stale_plan.store(true, Ordering::Relaxed);
            }
            turn(error)
        })
    }
}

impl<Scope> Drop for Tx<Scope> {
    /// Queues a rollback; it is sent with the check that every returned connection gets, off the
    /// request's path.
    fn drop(&mut self) {
        if let Some(connection) = &mut self.connection {
            <Postgres as Database>::TransactionManager::start_rollback(connection.get_mut());
        }
    }
}

impl<Scope> std::fmt::Debug for Tx<Scope> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tx")
            .field("tag", &self.tag)
            .finish_non_exhaustive()
    }
}

#[async_trait::async_trait]
impl<Scope> ConnectionTrait for Tx<Scope> {
    fn get_database_backend(&self) -> DbBackend {
        DbBackend::Postgres
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        let query = self.query(statement);
        let mut connection = self.connection().lock().await;
        self.noticing(query.execute(&mut **connection).await, exec_error)
            .map(Into::into)
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let text = AssertSqlSafe(format!("{}{sql}", self.tag));
        let mut connection = self.connection().lock().await;
        self.noticing((&mut **connection).execute(text).await, exec_error)
            .map(Into::into)
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let query = self.query(statement);
        let mut connection = self.connection().lock().await;
        let row = self.noticing(query.fetch_optional(&mut **connection).await, query_error)?;
        Ok(row.map(Into::into))
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let query = self.query(statement);
        let mut connection = self.connection().lock().await;
        let rows = self.noticing(query.fetch_all(&mut **connection).await, query_error)?;
        Ok(rows.into_iter().map(Into::into).collect())
    }
}

/// A connection whose state isn't known yet. Dropped like that it is closed, not reused.
struct Unconfirmed(Option<PoolConnection<Postgres>>);

impl Unconfirmed {
    fn connection(&mut self) -> &mut PoolConnection<Postgres> {
        self.0
            .as_mut()
            .expect("taken only by `confirmed`, which consumes the guard")
    }

    fn confirmed(mut self) -> PoolConnection<Postgres> {
        self.0.take().expect("taken only here")
    }
}

impl Drop for Unconfirmed {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            drop(connection.detach());
        }
    }
}

async fn begin(connection: &mut PoolConnection<Postgres>, start: &str) -> Result<(), sqlx::Error> {
    let start = AssertSqlSafe(start).into_sql_str();
    <Postgres as Database>::TransactionManager::begin(connection, Some(start)).await
}

fn is_stale_plan(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .is_some_and(|e| e.code().as_deref() == Some("0A000"))
}

fn exec_error(error: sqlx::Error) -> DbErr {
    DbErr::Exec(RuntimeErr::SqlxError(error.into()))
}

fn query_error(error: sqlx::Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(error.into()))
}
