//! Lanes: one login and one small pool for a fixed set of dealers.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use provisioner::login_password;
use secrecy::{ExposeSecret, SecretString};
use sqlx::postgres::PgConnectOptions;
use tokio::runtime::Handle;
use uuid::Uuid;

use super::platform::connect_options;
use super::pool::Pool;
use crate::config::Database;

/// All lanes the directory knows, each with its pool.
pub struct Lanes {
    platform: PgConnectOptions,
    config: Database,
    home: Handle,
    by_id: RwLock<HashMap<Uuid, Lane>>,
}

struct Lane {
    described: LaneRow,
    pool: Pool,
}

/// A lane and the node it leads to, as the directory has them.
#[derive(Debug, Clone, PartialEq, Eq, sea_orm::FromQueryResult)]
pub(super) struct LaneRow {
    pub id: Uuid,
    pub login_role: String,
    pub width: i32,
    /// Nulls lead to where the platform is.
    pub host: Option<String>,
    pub port: Option<i32>,
    pub database: Option<String>,
}

impl Lanes {
    /// No lanes yet. Their connections will live on the runtime that this is called on.
    ///
    /// # Errors
    ///
    /// When the platform's address can't be read.
    pub fn new(config: &Database) -> Result<Self, sqlx::Error> {
        Ok(Self {
            platform: connect_options(config)?,
            config: config.clone(),
            home: Handle::current(),
            by_id: RwLock::default(),
        })
    }

    /// The pool of a lane.
    pub(super) fn pool(&self, id: Uuid) -> Option<Pool> {
        let lanes = self.by_id.read().unwrap_or_else(PoisonError::into_inner);
        lanes.get(&id).map(|lane| lane.pool.clone())
    }

    /// The longest a statement of a dealer may run, milliseconds.
    pub(super) fn statement_timeout_ms(&self) -> u64 {
        self.config.statement_timeout_ms
    }

    /// Makes the lanes be those of `rows`. An unchanged lane keeps its pool; a pool that is no
    /// longer wanted serves the requests that hold it already, and goes with the last of them.
    pub(super) fn replace(&self, rows: Vec<LaneRow>) {
        let mut lanes = self.by_id.write().unwrap_or_else(PoisonError::into_inner);
        let mut former = std::mem::take(&mut *lanes);
        for row in rows {
            let lane = match former.remove(&row.id) {
                Some(lane) if lane.described == row => lane,
                _ => Lane {
                    pool: self.open(&row),
                    described: row,
                },
            };
            lanes.insert(lane.described.id, lane);
        }
    }

    /// Closes all pools.
    pub async fn close(&self) {
        let lanes =
            std::mem::take(&mut *self.by_id.write().unwrap_or_else(PoisonError::into_inner));
        for lane in lanes.into_values() {
            lane.pool.close().await;
        }
    }

    fn open(&self, row: &LaneRow) -> Pool {
        let password: SecretString = login_password(&self.config.secret, &row.login_role);
        let mut options = self
            .platform
            .clone()
            .username(&row.login_role)
            .password(password.expose_secret())
            .application_name("tubex");
        if let Some(host) = &row.host {
            options = options.host(host);
        }
        if let Some(port) = row.port.and_then(|port| u16::try_from(port).ok()) {
            options = options.port(port);
        }
        if let Some(database) = &row.database {
            options = options.database(database);
        }
        let width = u32::try_from(row.width).unwrap_or(1).max(1);
        Pool::new(options, width, &self.config, self.home.clone())
    }
}

impl std::fmt::Debug for Lanes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Lanes")
    }
}
