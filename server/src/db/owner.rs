//! The door of operators: connections with the login that owns the platform, which may do anything.

use std::time::Duration;

use provisioner::{NodeConnector, Product, Provisioner};
use sea_orm::SqlxPostgresConnector;
use secrecy::{ExposeSecret, SecretString};
use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio::runtime::Handle;

use super::platform::PlatformDb;
use crate::config::{Database, Platform};

/// Who we are to Postgres: an operator's request, not a dealer's.
const NAME: &str = "tubex-admin";
/// Few connections, and operators are patient: they would rather wait than be refused.
const PATIENCE: Duration = Duration::from_secs(10);

/// Connections of one who works on a migration run: two for tenants, and some to look at the run.
const WORK: u32 = 4;

/// What operators' requests and migration runs are served with.
pub struct OwnerDb<P> {
    /// Rows of the platform.
    pub rows: PlatformDb,
    provisioner: Provisioner<P>,
    worker: Provisioner<P>,
    pools: [sqlx::PgPool; 2],
    /// Sockets are driven by the runtime they were opened on, and threads that serve requests have
    /// one each: opened there they would be dead once that thread stops.
    home: Handle,
}

impl<P: Product + Clone> OwnerDb<P> {
    /// Prepares the connections, if the configuration names an address; none is opened before it
    /// is needed. They live on the runtime that this is called on.
    ///
    /// # Errors
    ///
    /// When the address can't be read.
    pub fn connect_lazily(
        platform: &Platform,
        database: &Database,
        product: P,
    ) -> Result<Option<Self>, sqlx::Error> {
        let Some(url) = &platform.database_url else {
            return Ok(None);
        };
        let options = options_of(url)?;
        // Half of the connections for sign-ins, so that work that takes minutes keeps nobody out.
        let rows = (platform.connections / 2).max(1);
        let requests = (platform.connections - rows).max(1);
        let pools = [requests, WORK].map(|width| {
            PgPoolOptions::new()
                .max_connections(width)
                .acquire_timeout(PATIENCE)
                .connect_lazy_with(options.clone())
        });
        let [provisioner, worker] = pools.clone().map(|pool| {
            let db = SqlxPostgresConnector::from_sqlx_postgres_pool(pool);
            Provisioner::new(db, database.secret.clone(), product.clone())
                .with_nodes(NodeConnector::new(url.clone()))
        });
        Ok(Some(Self {
            rows: PlatformDb::with_options(options.clone(), options, rows, database),
            provisioner,
            worker,
            pools,
            home: Handle::current(),
        }))
    }

    /// Lets the provisioner work. The work goes on to its end when nobody waits for it any more.
    ///
    /// # Panics
    ///
    /// When the work does.
    pub async fn ask<T, F>(&self, work: impl FnOnce(Provisioner<P>) -> F) -> T
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        self.at_home(work(self.provisioner.clone())).await
    }

    /// The same with connections of its own, for work that takes long.
    ///
    /// # Panics
    ///
    /// When the work does.
    pub async fn work<T, F>(&self, work: impl FnOnce(Provisioner<P>) -> F) -> T
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        self.at_home(work(self.worker.clone())).await
    }

    async fn at_home<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> T {
        match self.home.spawn(work).await {
            Ok(value) => value,
            Err(join) => match join.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The runtime itself is going down, and we with it.
                Err(_) => std::future::pending().await,
            },
        }
    }

    /// Closes all connections.
    pub async fn close(&self) {
        self.rows.close().await;
        for pool in &self.pools {
            pool.close().await;
        }
    }

    /// A provisioner with connections of its own, for work that takes long. To be used at home.
    pub fn worker(&self) -> &Provisioner<P> {
        &self.worker
    }
}

impl<P> std::fmt::Debug for OwnerDb<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OwnerDb")
    }
}

fn options_of(url: &SecretString) -> Result<PgConnectOptions, sqlx::Error> {
    let options: PgConnectOptions = url.expose_secret().parse()?;
    Ok(options
        .application_name(NAME)
        // A statement that makes a login carries its verifier; nothing of it belongs in a log.
        .disable_statement_logging())
}
