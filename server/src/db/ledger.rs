//! The door to a node's jobs: what its tenants have handed over, as those see it who do the work.

use std::sync::Arc;

use sea_orm::DbErr;
use sqlx::postgres::PgConnectOptions;
use tokio::runtime::Handle;

use super::lanes::{NodeAddress, lane_options};
use super::pool::Pool;
use super::transaction::{JobsTx, Visit};
use crate::config::Database;
use std::time::Duration;

/// Longest time a statement may run.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(10);
/// Short: whoever looks for work lets nobody else look meanwhile, and a worker may be stopped at any
/// moment.
const IDLE_TIMEOUT: Duration = Duration::from_secs(2);
/// Whoever writes looks for a few rows of a table whose statistics are never up to date: empty now,
/// it holds a hundred thousand in a moment. There is an index for all of it, and a plan that reads
/// the whole table instead, made in the wrong moment, would stay. Bitmaps would leave dead entries of
/// an index unmarked, and the next one would look them up again.
const BY_INDEX: &str = "SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off";

/// Opens transactions in one node's schema `jobs`.
#[derive(Clone)]
pub struct Ledger(Arc<Inner>);

struct Inner {
    node: String,
    address: NodeAddress,
    pool: Pool,
}

impl Ledger {
    pub(super) fn new(
        node: &str,
        address: NodeAddress,
        platform: &PgConnectOptions,
        config: &Database,
        home: Handle,
    ) -> Self {
        let options = lane_options(platform, &config.secret, provisioner::jobs::LOGIN, &address)
            .application_name("tubex-jobs");
        Self(Arc::new(Inner {
            node: node.to_owned(),
            address,
            pool: Pool::new(options, config.jobs_connections, config, home),
        }))
    }

    /// What operators call the node.
    pub fn node(&self) -> &str {
        &self.0.node
    }

    pub(super) fn address(&self) -> &NodeAddress {
        &self.0.address
    }

    /// Runs `work` in a read-only transaction.
    ///
    /// # Errors
    ///
    /// What `work` says, or the database's when the transaction can't be opened.
    pub async fn read<T, E: From<DbErr>>(
        &self,
        work: impl AsyncFnOnce(&JobsTx) -> Result<T, E>,
    ) -> Result<T, E> {
        let tx = JobsTx::open(&self.0.pool, &start("BEGIN READ ONLY"), visit()).await?;
        work(&tx).await
    }

    /// Runs `work` in a transaction that commits on `Ok` and rolls back on `Err`.
    ///
    /// # Errors
    ///
    /// What `work` says, or the database's when the transaction can't be opened or committed.
    pub async fn write<T, E: From<DbErr>>(
        &self,
        work: impl AsyncFnOnce(&JobsTx) -> Result<T, E>,
    ) -> Result<T, E> {
        let begin = format!("{}; {BY_INDEX}", start("BEGIN"));
        let tx = JobsTx::open(&self.0.pool, &begin, visit()).await?;
        let value = work(&tx).await?;
        tx.commit().await?;
        Ok(value)
    }

    pub(super) fn reap(&self) {
        self.0.pool.reap();
    }

    pub(super) fn close(&self) {
        self.0.pool.close();
    }
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Ledger").field(&self.0.node).finish()
    }
}

fn visit() -> Visit {
    Visit {
        longest_statement: STATEMENT_TIMEOUT,
        ..Visit::default()
    }
}

/// Statements here take less than compiling them would, whatever is thought of their cost.
fn start(begin: &str) -> String {
    format!(
        "{begin}; SET LOCAL search_path = jobs, pg_temp; SET LOCAL statement_timeout = {}; \
         SET LOCAL idle_in_transaction_session_timeout = {}; SET LOCAL jit = off",
        STATEMENT_TIMEOUT.as_millis(),
        IDLE_TIMEOUT.as_millis()
    )
}
