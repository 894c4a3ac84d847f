//! Our side: the very doors that requests go through, without HTTP around them.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use server::config::Config;
use server::db::{Address, Directory, Found, PlatformDb, TenantDb};
use tests::Scratch;
use tokio::task::JoinHandle;

use super::{FROM_SKU, QUERY, Visit};

/// Doors of some tenants, in the order of their numbers.
pub struct Ours {
    directory: Arc<Directory>,
    doors: Vec<TenantDb>,
    keeper: JoinHandle<()>,
}

impl Ours {
    /// Opens the directory and the doors.
    ///
    /// # Errors
    ///
    /// When a tenant isn't there.
    pub async fn open(database: &Scratch, slugs: &[String]) -> Result<Self> {
        let config = config(database)?;
        let platform = PlatformDb::connect_lazily(&config.database)?;
        let directory = Directory::new(platform, &config.database)?;
        let keeper = directory.keep_fresh(&config.database);
        while !directory.is_loaded() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let mut doors = Vec::with_capacity(slugs.len());
        for slug in slugs {
            let address = Address::Slug(slug.clone());
            let Found::Tenant(tenant) = directory.find(&address).await else {
                anyhow::bail!("{slug} is not in the directory");
            };
            doors.push(directory.enter(&tenant).context("the door is open")?);
        }
        Ok(Self {
            directory,
            doors,
            keeper,
        })
    }

    /// The directory behind the doors.
    pub fn directory(&self) -> &Arc<Directory> {
        &self.directory
    }

    /// How many lanes there are.
    pub fn lanes(&self) -> usize {
        self.directory.lane_stats().len()
    }

    /// How many connections they may have together.
    pub fn connections(&self) -> u32 {
        let lanes = self.directory.lane_stats();
        lanes.iter().map(|lane| lane.width).sum()
    }

    /// How the statement caches did.
    pub fn cache_report(&self) -> String {
        let (mut hits, mut misses, mut cached, mut open) = (0, 0, 0, 0);
        for lane in self.directory.lane_stats() {
            hits += lane.statement_hits;
            misses += lane.statement_misses;
            cached += lane.statements_cached;
            open += lane.open;
        }
        let share = hits as f64 / (hits + misses).max(1) as f64;
        format!(
            "statements: {:.1} % were prepared already, {cached} are cached on {open} connections",
            share * 100.0
        )
    }
}

#[async_trait::async_trait]
impl Visit for Ours {
    async fn visit(&self, tenant: usize) -> Result<()> {
        let statement =
            Statement::from_sql_and_values(DbBackend::Postgres, QUERY, [FROM_SKU.into()]);
        let tx = self.doors[tenant].begin_read_only().await?;
        let rows = tx.query_all_raw(statement).await?;
        ensure!(rows.len() == 5, "{} rows", rows.len());
        Ok(())
    }

    async fn run(&self, tenant: usize, sql: &'static str) -> Result<()> {
        let tx = self.doors[tenant].begin_read_only().await?;
        tx.execute_unprepared(sql).await?;
        Ok(())
    }
}

impl Drop for Ours {
    fn drop(&mut self) {
        self.keeper.abort();
        self.directory.close();
    }
}

/// As a server is configured, with nothing but addresses and secrets set.
fn config(database: &Scratch) -> Result<Config> {
    let url = database.server_url();
    let variables = [
        ("TUBEX_DATABASE__URL", url.as_str()),
        ("TUBEX_DATABASE__SECRET", database.secret()),
        // Both sides have more to do than they can; nobody is to be refused for it.
        ("TUBEX_DATABASE__TENANT_WAIT_MS", "60000"),
        ("TUBEX_DATABASE__ACQUIRE_TIMEOUT_MS", "60000"),
        (
            "TUBEX_AUTH__TOKEN_SECRET",
            "a token secret for benches, long enough",
        ),
    ];
    Ok(Config::from_environment(
        variables.map(|(key, value)| (key.to_owned(), value.to_owned())),
    )?)
}
