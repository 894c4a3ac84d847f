//! The doctor's door: connections of its own, outside every pool, that say what the database says.
//!
//! Statements go as plain text. A prepared one needs the same backend twice, and whether a pooler
//! in between keeps to that is one of the things the doctor finds out.

use std::time::Duration;

use provisioner::SchemaName;
use sea_orm::{
    ConnAcquireErr, ConnectionTrait, DbBackend, DbErr, ExecResult, FromQueryResult, QueryResult,
    RuntimeErr, Statement,
};
use secrecy::SecretString;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, PgPool};
use tokio::sync::Mutex;

use super::gate::Limits;
pub use super::lanes::NodeAddress;
use super::lanes::lane_options;
use super::platform::{connect_options, direct_options};
use super::schema_version;
use crate::config::Database;

/// Opens connections as the server's login and as those of lanes.
pub struct Doors {
    platform: PgConnectOptions,
    direct: PgConnectOptions,
    secret: SecretString,
    patience: Duration,
}

impl Doors {
    /// Reads the addresses; opens nothing.
    ///
    /// # Errors
    ///
    /// When one can't be read.
    pub fn new(config: &Database) -> Result<Self, DbErr> {
        let platform = connect_options(config).map_err(connection_error)?;
        let direct = direct_options(config).map_err(connection_error)?;
        Ok(Self {
            platform,
            direct,
            secret: config.secret.clone(),
            patience: config.acquire_timeout(),
        })
    }

    /// A connection to the platform, as the server.
    ///
    /// # Errors
    ///
    /// When it can't be had in time.
    pub async fn server(&self) -> Result<Probe, DbErr> {
        self.open(&self.platform).await
    }

    /// A connection to a node, as a lane.
    ///
    /// # Errors
    ///
    /// When it can't be had in time.
    pub async fn lane(&self, login: &str, node: &NodeAddress) -> Result<Probe, DbErr> {
        let options = lane_options(&self.platform, &self.secret, login, node);
        self.open(&options).await
    }

    /// The host and port that a node's connections really go to.
    pub fn cluster_of(&self, node: &NodeAddress) -> (String, u16) {
        let host = node.host.as_deref().unwrap_or(self.platform.get_host());
        let port = node.port.unwrap_or(self.platform.get_port());
        (host.to_owned(), port)
    }

    /// Listens on a channel, past any transaction pooler.
    ///
    /// # Errors
    ///
    /// When the connection can't be had in time, or may not listen.
    pub async fn listen(&self, channel: &str) -> Result<Ear, DbErr> {
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(self.patience)
            .connect_lazy_with(named(&self.direct));
        let mut listener = PgListener::connect_with(&pool)
            .await
            .map_err(connection_error)?;
        listener.listen(channel).await.map_err(query_error)?;
        Ok(Ear { listener, pool })
    }

    async fn open(&self, options: &PgConnectOptions) -> Result<Probe, DbErr> {
        let options = named(options);
        tokio::time::timeout(self.patience, PgConnection::connect_with(&options))
            .await
            .map_err(|_| DbErr::ConnectionAcquire(ConnAcquireErr::Timeout))?
            .map(|connection| Probe(Mutex::new(connection)))
            .map_err(connection_error)
    }
}

fn named(options: &PgConnectOptions) -> PgConnectOptions {
    options.clone().application_name("tubex doctor")
}

impl std::fmt::Debug for Doors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Doors")
    }
}

/// Hears what is told on one channel.
#[derive(Debug)]
pub struct Ear {
    listener: PgListener,
    pool: PgPool,
}

impl Ear {
    /// Whether something is heard in time. Stops listening, because behind a pooler the backend
    /// lives on, and ends the connection.
    pub async fn hears_within(mut self, limit: Duration) -> bool {
        let heard = tokio::time::timeout(limit, self.listener.recv()).await;
        if let Err(error) = self.listener.unlisten_all().await {
            tracing::debug!(error = %error, "listening could not be ended");
        }
        drop(self.listener);
        self.pool.close().await;
        matches!(heard, Ok(Ok(_)))
    }
}

/// One connection. It is nobody's but the doctor's, so what it is left in disturbs nobody.
#[derive(Debug)]
pub struct Probe(Mutex<PgConnection>);

impl Probe {
    /// The rows that one message of statements answers.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn rows<T: FromQueryResult>(&self, sql: &str) -> Result<Vec<T>, DbErr> {
        let rows = self.query(sql).await?;
        rows.iter()
            .map(|row| T::from_query_result(row, ""))
            .collect()
    }

    /// The one row that a message of statements answers.
    ///
    /// # Errors
    ///
    /// The database's; or that there is none.
    pub async fn row<T: FromQueryResult>(&self, sql: &str) -> Result<T, DbErr> {
        let mut rows = self.rows(sql).await?;
        rows.pop()
            .ok_or_else(|| DbErr::RecordNotFound("the database answered no row".to_owned()))
    }

    /// Ends the connection in good manners.
    pub async fn close(self) {
        if let Err(error) = self.0.into_inner().close().await {
            tracing::debug!(error = %error, "a connection ended badly");
        }
    }

    async fn query(&self, sql: &str) -> Result<Vec<QueryResult>, DbErr> {
        let mut connection = self.0.lock().await;
        let rows = (&mut *connection)
            .fetch_all(AssertSqlSafe(sql.to_owned()))
            .await
            .map_err(query_error)?;
        Ok(rows.into_iter().map(Into::into).collect())
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Probe {
    fn get_database_backend(&self) -> DbBackend {
        DbBackend::Postgres
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.execute_unprepared(&statement.to_string()).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let mut connection = self.0.lock().await;
        (&mut *connection)
            .execute(AssertSqlSafe(sql.to_owned()))
            .await
            .map(Into::into)
            .map_err(query_error)
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        Ok(self.query(&statement.to_string()).await?.into_iter().next())
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.query(&statement.to_string()).await
    }
}

/// The SQLSTATE of a refusal.
pub fn sqlstate(error: &DbErr) -> Option<String> {
    let (DbErr::Conn(cause) | DbErr::Exec(cause) | DbErr::Query(cause)) = error else {
        return None;
    };
    let RuntimeErr::SqlxError(cause) = cause else {
        return None;
    };
    cause
        .as_database_error()?
        .code()
        .map(std::borrow::Cow::into_owned)
}

/// The very message that opens a tenant's transaction.
pub fn tenant_start(schema: &SchemaName, time_limit_ms: u64) -> String {
    let limits = Limits {
        concurrency: 1,
        statement_timeout_ms: time_limit_ms,
        idle_in_transaction_timeout_ms: time_limit_ms,
    };
    super::tenant::start("BEGIN", schema, limits)
}

/// Whether this build can serve a tenant at `version`.
pub fn can_serve(version: &str) -> bool {
    schema_version::can_serve(version)
}

fn connection_error(error: sqlx::Error) -> DbErr {
    DbErr::Conn(RuntimeErr::SqlxError(error.into()))
}

fn query_error(error: sqlx::Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(error.into()))
}
