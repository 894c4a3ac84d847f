//! The floors: one prepared statement on one connection, and the usual single pool, whose
//! connections serve every tenant with the same statement.

use std::str::FromStr;

use anyhow::{Result, ensure};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, PgPool};
use tests::Scratch;
use tokio::sync::Mutex;

use super::{FROM_SKU, QUERY, Visit};

/// What the floor's connections are called in `pg_stat_activity`.
pub const NAME: &str = "single pool";

/// One tenant's schema on one connection, no transaction, no role.
pub struct Bare(Mutex<PgConnection>);

impl Bare {
    /// Opens the connection.
    ///
    /// # Errors
    ///
    /// When it can't be opened.
    pub async fn open(database: &Scratch, schema: &str) -> Result<Self> {
        let options = PgConnectOptions::from_str(&database.owner_url())?
            .options([("search_path", format!("{schema},shared"))]);
        Ok(Self(Mutex::new(
            PgConnection::connect_with(&options).await?,
        )))
    }
}

#[async_trait::async_trait]
impl Visit for Bare {
    async fn visit(&self, _: usize) -> Result<()> {
        let mut connection = self.0.lock().await;
        let rows = sqlx::query(QUERY)
            .bind(FROM_SKU)
            .fetch_all(&mut *connection)
            .await?;
        ensure!(rows.len() == 5, "{} rows", rows.len());
        Ok(())
    }

    async fn run(&self, _: usize, sql: &'static str) -> Result<()> {
        self.0.lock().await.execute(sql).await?;
        Ok(())
    }
}

/// The usual pool. It logs in as a superuser, who may take any role without the cost of a
/// membership: that favours it.
pub struct SinglePool {
    pool: PgPool,
    schemas: Vec<String>,
}

impl SinglePool {
    /// Opens the pool.
    ///
    /// # Errors
    ///
    /// When it can't be opened.
    pub async fn open(database: &Scratch, schemas: Vec<String>, connections: u32) -> Result<Self> {
        let options = PgConnectOptions::from_str(&database.owner_url())?.application_name(NAME);
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .min_connections(connections)
            .test_before_acquire(false)
            .connect_with(options)
            .await?;
        Ok(Self { pool, schemas })
    }

    fn start(&self, tenant: usize) -> AssertSqlSafe<String> {
        let schema = &self.schemas[tenant];
        AssertSqlSafe(format!(
            "BEGIN READ ONLY; SET LOCAL ROLE {schema}; \
             SET LOCAL search_path = {schema}, shared, pg_temp"
        ))
    }
}

#[async_trait::async_trait]
impl Visit for SinglePool {
    async fn visit(&self, tenant: usize) -> Result<()> {
        let mut connection = self.pool.acquire().await?;
        connection.execute(self.start(tenant)).await?;
        let rows = sqlx::query(QUERY)
            .bind(FROM_SKU)
            .fetch_all(&mut *connection)
            .await?;
        connection.execute("ROLLBACK").await?;
        ensure!(rows.len() == 5, "{} rows", rows.len());
        Ok(())
    }

    async fn run(&self, tenant: usize, sql: &'static str) -> Result<()> {
        let mut connection = self.pool.acquire().await?;
        connection.execute(self.start(tenant)).await?;
        connection.execute(sql).await?;
        connection.execute("ROLLBACK").await?;
        Ok(())
    }
}
