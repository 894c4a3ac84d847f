//! A pool whose connections belong to the process, not to the thread that happened to open them.

use std::time::Duration;

use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr};
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use sqlx::{PgPool, Postgres};
use tokio::runtime::Handle;

use crate::config::Database;

/// An idle connection is closed after this long.
const IDLE_TIMEOUT: Duration = Duration::from_secs(600);

/// Some connections with one login.
///
/// Every thread that serves requests has a runtime of its own, and a socket is driven by the
/// runtime it was opened on: opened by a busy thread it would be slow for all others, and dead
/// once that thread stops. So connections are opened at `home`, a runtime that outlives
/// them all.
#[derive(Clone)]
pub(super) struct Pool {
    connections: PgPool,
    width: u32,
    home: Handle,
}

impl Pool {
    /// Prepares a pool; no connection is opened before it is needed.
    ///
    /// Idle connections aren't checked before use, which would be a round trip more for every
    /// request: the message that opens a transaction finds out.
    pub(super) fn new(
        options: PgConnectOptions,
        width: u32,
        config: &Database,
        home: Handle,
    ) -> Self {
        let connections = PgPoolOptions::new()
            .max_connections(width)
            .min_connections(0)
            .acquire_timeout(config.acquire_timeout())
            .idle_timeout(IDLE_TIMEOUT)
            .test_before_acquire(false)
            .connect_lazy_with(options.statement_cache_capacity(config.statement_cache));
        Self {
            connections,
            width,
            home,
        }
    }

    /// Most connections it may have.
    pub(super) fn width(&self) -> u32 {
        self.width
    }

    /// How long a request may wait for a connection and the start of its transaction.
    pub(super) fn patience(&self) -> Duration {
        self.connections.options().get_acquire_timeout()
    }

    /// Takes a connection, which may have died while it lay idle.
    pub(super) async fn acquire(&self) -> Result<PoolConnection<Postgres>, DbErr> {
        if let Some(idle) = self.connections.try_acquire() {
            return Ok(idle);
        }
        let acquiring = self.connections.acquire();
        let acquired = if self.connections.size() < self.width {
            self.home
                .spawn(acquiring)
                .await
                .map_err(|error| DbErr::Custom(error.to_string()))?
        } else {
            acquiring.await
        };
        acquired.map_err(|error| match error {
            sqlx::Error::PoolTimedOut => DbErr::ConnectionAcquire(ConnAcquireErr::Timeout),
            sqlx::Error::PoolClosed => DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed),
            other => DbErr::Conn(RuntimeErr::SqlxError(other.into())),
        })
    }

    /// Takes one connection for good, to hear of changes.
    pub(super) async fn listener(&self) -> Result<PgListener, sqlx::Error> {
        let mut listener = PgListener::connect_with(&self.connections).await?;
        listener.ignore_pool_close_event(true);
        Ok(listener)
    }

    /// Closes all connections, each after its transaction.
    pub(super) async fn close(&self) {
        self.connections.close().await;
    }
}
