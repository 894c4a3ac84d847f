//! A few connections with one login, each kept for the dealers it knows.
//!
//! Why not the pool of sqlx: that one gives out whichever connection lies on top, so that every
//! backend meets every dealer of the lane, remembers all their tables (0.5 MB each, for good) and
//! plans their statements once more. Here a dealer has a seat of its own choice, by its id, and
//! others only while that one is taken. A connection comes back the moment its transaction has been
//! told to end, at no round trip, and one in doubt never does. See the README for the comparison.

mod connection;
mod counters;
mod lease;
mod seats;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sea_orm::{ConnAcquireErr, DbErr};
use sqlx::postgres::PgConnectOptions;
use tokio::runtime::Handle;
use uuid::Uuid;

use self::connection::Connection;
use self::counters::Counters;
pub(super) use self::counters::PoolStats;
pub(super) use self::lease::Lease;
use self::seats::{Answer, Seats};
use crate::config::{Database, PreparedStatements};

/// An idle connection is closed after this long.
const IDLE_TIMEOUT: Duration = Duration::from_secs(600);

/// Some connections with one login.
///
/// Every thread that serves requests has a runtime of its own, and a socket is driven by the
/// runtime it was opened on: opened by a busy thread it would be slow for all others, and dead
/// once that thread stops. So connections are opened at `home`, a runtime that outlives
/// them all.
#[derive(Clone)]
pub(super) struct Pool(Arc<Shared>);

struct Shared {
    options: PgConnectOptions,
    home: Handle,
    width: usize,
    patience: Duration,
    /// Dealers that a connection serves before it is replaced.
    most_tenants: usize,
    statement_cache: usize,
    prepared: PreparedStatements,
    seats: Mutex<Seats>,
    counters: Arc<Counters>,
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
        let width = usize::try_from(width.max(1)).unwrap_or(1);
        let most_tenants = match config.connection_tenants {
            0 => usize::MAX,
            most => most,
        };
        // Unnamed statements aren't kept, by us as little as by the backend.
        let statement_cache = match config.prepared_statements {
            PreparedStatements::Named => config.statement_cache,
            PreparedStatements::Unnamed => 0,
        };
        Self(Arc::new(Shared {
            options: options.statement_cache_capacity(statement_cache),
            home,
            width,
            patience: config.acquire_timeout(),
            most_tenants,
            statement_cache,
            prepared: config.prepared_statements,
            seats: Mutex::new(Seats::new(width)),
            counters: Arc::default(),
        }))
    }

    /// Most connections it may have.
    pub(super) fn width(&self) -> usize {
        self.0.width
    }

    /// How long a request may wait for a connection and the start of its transaction.
    pub(super) fn patience(&self) -> Duration {
        self.0.patience
    }

    /// Takes a connection, which may have died while it lay idle. For a visitor who comes again
    /// and again it is most often the same one.
    pub(super) async fn acquire(&self, visitor: Option<Uuid>) -> Result<Lease, DbErr> {
        let begun = Instant::now();
        let answer = self.0.seats().ask(visitor);
        let lease = match answer {
            Answer::Seat(seat, connection) => Lease::of(self.0.clone(), seat, connection),
            Answer::Wait(turn) => turn.await.map_err(|_| closed())?,
            Answer::Closed => return Err(closed()),
        };
        self.0.counters.waited(begun.elapsed());
        let mut lease = lease.open().await?;
        if let Some(visitor) = visitor {
            lease.meet(visitor);
        }
        Ok(lease)
    }

    /// Somebody gave up waiting.
    pub(super) fn count_a_timeout(&self) {
        self.0.counters.count_a_timeout();
    }

    /// Closes connections that have lain idle for long.
    pub(super) fn reap(&self) {
        let idle = self
            .0
            .seats()
            .take_idle_since(Instant::now() - IDLE_TIMEOUT);
        drop(idle);
    }

    /// Keeps no connection any longer; those who hold the pool are still served.
    pub(super) fn retire(&self) {
        let idle = self.0.seats().retire();
        drop(idle);
    }

    /// Closes the idle connections and gives out no more; the others close when they come back.
    pub(super) fn close(&self) {
        let closed = self.0.seats().close();
        drop(closed);
    }

    /// What it has done and what it holds.
    pub(super) fn stats(&self) -> PoolStats {
        let (open, in_use, waiting) = self.0.seats().census();
        self.0.counters.stats(open, in_use, waiting)
    }
}

impl Shared {
    /// Short and never across an await. A panic elsewhere leaves the seats as they were.
    fn seats(&self) -> MutexGuard<'_, Seats> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a connection has met so many dealers that a new one is cheaper to keep.
    fn is_spent(&self, connection: &Connection) -> bool {
        connection.tenants_met() > self.most_tenants
    }
}

fn closed() -> DbErr {
    DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed)
}
