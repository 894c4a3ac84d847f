//! One connection and one transaction with two doors: sea-orm's, for statements and migrations, and
//! the driver's own, for `COPY`.
//!
//! A pool of one connection that is handed back with its transaction open: whoever takes it next
//! goes on in the same transaction, and a transaction of sea-orm is a savepoint in it. Nothing
//! else uses the connection; it is closed when the wire is.

use sea_orm::{
    ConnectionTrait as _, DatabaseConnection, DatabaseTransaction, DbErr, RuntimeErr,
    SqlxPostgresConnector, TransactionTrait as _,
};
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgPool, PgPoolOptions, PgTransactionManager, Postgres};
use sqlx::{AssertSqlSafe, SqlSafeStr as _};
use sqlx_core::transaction::TransactionManager as _;

use crate::transaction::{Limits, act_as_owner, bound_waits};

/// What the transaction sees and may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// One moment of the database, and nothing is written.
    Picture,
    /// One moment of the database, and what is written here.
    PictureAndWrite,
    /// Each statement sees what was committed before it.
    Write,
}

/// The connection.
#[derive(Debug)]
pub(super) struct Wire {
    pool: PgPool,
    db: DatabaseConnection,
}

impl Wire {
    /// Connects to where `like` is connected to, begins, and goes on as the owner. Call it inside
    /// of `to_the_end` only.
    pub(super) async fn begin(
        like: &DatabaseConnection,
        mode: Mode,
        limits: Limits,
    ) -> Result<Self, DbErr> {
        let options = like.get_postgres_connection_pool().connect_options();
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            .connect_lazy_with(options.as_ref().clone());
        let wire = Self {
            db: SqlxPostgresConnector::from_sqlx_postgres_pool(pool.clone()),
            pool,
        };
        let begun = wire.open(mode, limits).await;
        match begun {
            Ok(()) => Ok(wire),
            Err(error) => {
                wire.pool.close().await;
                Err(error)
            }
        }
    }

    async fn open(&self, mode: Mode, limits: Limits) -> Result<(), DbErr> {
        let sql = match mode {
            Mode::Picture => "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY",
            Mode::PictureAndWrite => "BEGIN ISOLATION LEVEL REPEATABLE READ, READ WRITE",
            Mode::Write => "BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE",
        };
        let mut connection = self.raw().await?;
        let statement = AssertSqlSafe(sql.to_owned()).into_sql_str();
        PgTransactionManager::begin(&mut connection, Some(statement))
            .await
            .map_err(trouble)?;
        drop(connection);
        let tx = self.savepoint().await?;
        // As files have it, whatever the server or the login says.
        tx.execute_unprepared(
            "SET LOCAL search_path = pg_catalog, pg_temp; SET LOCAL datestyle = 'ISO, YMD';
             SET LOCAL intervalstyle = 'postgres'; SET LOCAL bytea_output = 'hex';
             SET LOCAL timezone = 'UTC'; SET LOCAL extra_float_digits = 3;
             SET LOCAL xmlbinary = 'base64'; SET LOCAL synchronize_seqscans = off",
        )
        .await?;
        bound_waits(&tx, limits).await?;
        act_as_owner(&tx).await?;
        tx.commit().await
    }

    /// A part of the transaction, for sea-orm.
    #[expect(
        clippy::disallowed_methods,
        reason = "whoever calls us is not cancelled, and nobody else gets the connection"
    )]
    pub(super) async fn savepoint(&self) -> Result<DatabaseTransaction, DbErr> {
        self.db.begin().await
    }

    /// The connection itself, for `COPY`.
    #[expect(
        clippy::disallowed_methods,
        reason = "the pool is this transaction's own, and leads to its one connection"
    )]
    pub(super) async fn raw(&self) -> Result<PoolConnection<Postgres>, DbErr> {
        self.pool.acquire().await.map_err(trouble)
    }

    /// Commits, and hangs up.
    pub(super) async fn commit(self) -> Result<(), DbErr> {
        let mut connection = self.raw().await?;
        let committed = PgTransactionManager::commit(&mut connection).await;
        drop(connection);
        self.pool.close().await;
        committed.map_err(trouble)
    }

    /// Undoes it, and hangs up.
    pub(super) async fn rollback(self) {
        if let Ok(mut connection) = self.raw().await
            && let Err(cause) = PgTransactionManager::rollback(&mut connection).await
        {
            tracing::debug!(error = %cause, "could not roll back, the connection is gone");
        }
        self.pool.close().await;
    }

    /// Ends it the way its work ended.
    pub(super) async fn finish<T, E: From<DbErr>>(self, outcome: Result<T, E>) -> Result<T, E> {
        match outcome {
            Ok(value) => {
                self.commit().await?;
                Ok(value)
            }
            Err(error) => {
                self.rollback().await;
                Err(error)
            }
        }
    }
}

/// What the driver says, in sea-orm's words.
pub(super) fn trouble(error: sqlx::Error) -> DbErr {
    DbErr::Exec(RuntimeErr::SqlxError(error.into()))
}
