//! The door to the platform's rows.

use std::time::Duration;

use provisioner::login_password;
use sea_orm::DbErr;
use secrecy::ExposeSecret;
use sqlx::postgres::{PgConnectOptions, PgListener};
use tokio::runtime::Handle;

use super::pool::Pool;
use super::transaction::PlatformTx;
use crate::config::Database;

/// Opens transactions in the platform's schema.
#[derive(Clone)]
pub struct PlatformDb {
    pool: Pool,
}

impl PlatformDb {
    /// Prepares the connections; none is opened before it is needed. They live on the runtime that
    /// this is called on.
    ///
    /// # Errors
    ///
    /// When the address can't be read.
    pub fn connect_lazily(config: &Database) -> Result<Self, sqlx::Error> {
        let options = connect_options(config)?;
        Ok(Self {
            pool: Pool::new(
                options,
                config.platform_connections,
                config,
                Handle::current(),
            ),
        })
    }

    /// Runs `work` in a read-only transaction.
    ///
    /// # Errors
    ///
    /// What `work` says, or the database's when the transaction can't be opened.
    pub async fn read<T, E: From<DbErr>>(
        &self,
        work: impl AsyncFnOnce(&PlatformTx) -> Result<T, E>,
    ) -> Result<T, E> {
        let tx = PlatformTx::open(&self.pool, &start("BEGIN READ ONLY"), String::new()).await?;
        work(&tx).await
    }

    /// Runs `work` in a transaction that commits on `Ok` and rolls back on `Err`.
    ///
    /// # Errors
    ///
    /// What `work` says, or the database's when the transaction can't be opened or committed.
    pub async fn write<T, E: From<DbErr>>(
        &self,
        work: impl AsyncFnOnce(&PlatformTx) -> Result<T, E>,
    ) -> Result<T, E> {
        let tx = PlatformTx::open(&self.pool, &start("BEGIN"), String::new()).await?;
        let value = work(&tx).await?;
        tx.commit().await?;
        Ok(value)
    }

    /// Takes one connection for good, to hear of changes.
    pub(super) async fn listener(&self) -> Result<PgListener, sqlx::Error> {
        self.pool.listener().await
    }

    /// Closes all connections.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

impl std::fmt::Debug for PlatformDb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PlatformDb")
    }
}

/// The platform's address; a login without a password gets the derived one.
pub(super) fn connect_options(config: &Database) -> Result<PgConnectOptions, sqlx::Error> {
    let url = config.url.expose_secret();
    let options: PgConnectOptions = url.parse()?;
    if has_password(url) {
        return Ok(options);
    }
    let password = login_password(&config.secret, options.get_username());
    Ok(options.password(password.expose_secret()))
}

fn has_password(url: &str) -> bool {
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = authority.split(['/', '?']).next().unwrap_or_default();
    authority
        .rsplit_once('@')
        .is_some_and(|(login, _)| login.contains(':'))
}

fn start(begin: &str) -> String {
    format!(
        "{begin}; SET LOCAL search_path = platform, pg_temp; SET LOCAL statement_timeout = {}",
        STATEMENT_TIMEOUT.as_millis()
    )
}

/// The directory of ten thousand dealers is read in well under a second.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(10);
