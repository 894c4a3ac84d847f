//! The door to the platform's rows.

use std::time::Duration;

use provisioner::login_password;
use sea_orm::DbErr;
use secrecy::{ExposeSecret, SecretString};
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use tokio::runtime::Handle;

use super::pool::Pool;
use super::transaction::{PlatformTx, Visit};
use crate::config::Database;

/// Opens transactions in the platform's schema.
#[derive(Clone)]
pub struct PlatformDb {
    pool: Pool,
    /// For the one connection that listens.
    ears: sqlx::PgPool,
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
        let direct = direct_options(config)?;
        // One of the connections listens.
        let width = config.platform_connections - 1;
        Ok(Self::with_options(options, direct, width, config))
    }

    /// The same with a login of one's own.
    pub(super) fn with_options(
        options: PgConnectOptions,
        direct: PgConnectOptions,
        width: u32,
        config: &Database,
    ) -> Self {
        Self {
            pool: Pool::new(options, width, config, Handle::current()),
            ears: PgPoolOptions::new()
                .max_connections(1)
                .acquire_timeout(config.acquire_timeout())
                .connect_lazy_with(direct),
        }
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
        let tx = PlatformTx::open(&self.pool, &start("BEGIN READ ONLY"), visit()).await?;
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
        let tx = PlatformTx::open(&self.pool, &start("BEGIN"), visit()).await?;
        let value = work(&tx).await?;
        tx.commit().await?;
        Ok(value)
    }

    /// Takes one connection for good, to hear of changes.
    pub(super) async fn listener(&self) -> Result<PgListener, sqlx::Error> {
        let mut listener = PgListener::connect_with(&self.ears).await?;
        listener.ignore_pool_close_event(true);
        Ok(listener)
    }

    /// Closes all connections.
    pub async fn close(&self) {
        self.pool.close();
        self.ears.close().await;
    }
}

impl std::fmt::Debug for PlatformDb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PlatformDb")
    }
}

/// The platform's address; a login without a password gets the derived one.
pub(super) fn connect_options(config: &Database) -> Result<PgConnectOptions, sqlx::Error> {
    options_of(&config.url, config)
}

/// The same past a transaction pooler, if there is one.
pub(super) fn direct_options(config: &Database) -> Result<PgConnectOptions, sqlx::Error> {
    options_of(config.direct_url.as_ref().unwrap_or(&config.url), config)
}

fn options_of(url: &SecretString, config: &Database) -> Result<PgConnectOptions, sqlx::Error> {
    let url = url.expose_secret();
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

fn visit() -> Visit {
    Visit {
        longest_statement: STATEMENT_TIMEOUT,
        ..Visit::default()
    }
}

fn start(begin: &str) -> String {
    format!(
        "{begin}; SET LOCAL search_path = platform, pg_temp; SET LOCAL statement_timeout = {0}; \
         SET LOCAL idle_in_transaction_session_timeout = {0}",
        STATEMENT_TIMEOUT.as_millis()
    )
}

/// The directory of ten thousand dealers is read in well under a second.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(10);
