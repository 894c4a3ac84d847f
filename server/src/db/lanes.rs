//! Lanes: one login and one small pool for a fixed set of dealers.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use provisioner::login_password;
use sea_orm::{ConnAcquireErr, DbErr};
use secrecy::{ExposeSecret, SecretString};
use sqlx::postgres::PgConnectOptions;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::gate::Place;
use super::ledger::Ledger;
use super::platform::connect_options;
use super::pool::Pool;
use crate::config::Database;

/// All lanes the directory knows, each with its pool.
pub struct Lanes {
    platform: PgConnectOptions,
    config: Database,
    home: Handle,
    by_id: RwLock<HashMap<Uuid, Arc<Lane>>>,
    /// One for every node that a lane leads to.
    ledgers: RwLock<Vec<Ledger>>,
}

/// One lane.
pub(super) struct Lane {
    pub(super) described: LaneRow,
    pub(super) pool: Pool,
    /// Bounds the work that keeps a connection for seconds.
    long_work: Arc<Semaphore>,
    refused_by_cap: AtomicU64,
}

/// A lane and the node it leads to, as the directory has them.
#[derive(Debug, Clone, PartialEq, Eq, sea_orm::FromQueryResult)]
pub(super) struct LaneRow {
    pub id: Uuid,
    pub login_role: String,
    pub width: i32,
    pub capacity: i32,
    pub node: String,
    /// Nulls lead to where the platform is.
    pub host: Option<String>,
    pub port: Option<i32>,
    pub database: Option<String>,
}

/// Where a node is, as the directory has it: what is absent is as the platform's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NodeAddress {
    /// Host name or address.
    pub host: Option<String>,
    /// TCP port.
    pub port: Option<u16>,
    /// Database name.
    pub database: Option<String>,
}

impl LaneRow {
    fn address(&self) -> NodeAddress {
        NodeAddress {
            host: self.host.clone(),
            port: self.port.and_then(|port| port.try_into().ok()),
            database: self.database.clone(),
        }
    }
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
            ledgers: RwLock::default(),
        })
    }

    /// One lane.
    pub(super) fn get(&self, id: Uuid) -> Option<Arc<Lane>> {
        let lanes = self.by_id.read().unwrap_or_else(PoisonError::into_inner);
        lanes.get(&id).cloned()
    }

    /// All of them.
    pub(super) fn all(&self) -> Vec<Arc<Lane>> {
        let lanes = self.by_id.read().unwrap_or_else(PoisonError::into_inner);
        lanes.values().cloned().collect()
    }

    /// The jobs of every node.
    pub(super) fn ledgers(&self) -> Vec<Ledger> {
        let ledgers = self.ledgers.read().unwrap_or_else(PoisonError::into_inner);
        ledgers.clone()
    }

    /// The jobs of the node that a lane leads to.
    pub(super) fn ledger_of(&self, lane: Uuid) -> Option<Ledger> {
        let address = self.get(lane)?.described.address();
        let ledgers = self.ledgers.read().unwrap_or_else(PoisonError::into_inner);
        ledgers
            .iter()
            .find(|ledger| *ledger.address() == address)
            .cloned()
    }

    /// Makes the ledgers be those of the nodes that the lanes lead to.
    fn replace_ledgers(&self, rows: &[LaneRow]) {
        let mut ledgers = self.ledgers.write().unwrap_or_else(PoisonError::into_inner);
        let (mut former, mut now) = (std::mem::take(&mut *ledgers), Vec::<Ledger>::new());
        for row in rows {
            let address = row.address();
            if now.iter().any(|ledger| *ledger.address() == address) {
                continue;
            }
            let known = former.iter().position(|it| *it.address() == address);
            now.push(match known {
                Some(place) => former.swap_remove(place),
                None => Ledger::new(
                    &row.node,
                    address,
                    &self.platform,
                    &self.config,
                    self.home.clone(),
                ),
            });
        }
        *ledgers = now;
        drop(ledgers);
        for ledger in former {
            ledger.close();
        }
    }

    /// Makes the lanes be those of `rows`. An unchanged lane keeps its pool; a pool that is no
    /// longer wanted serves the requests that hold it already, and goes with the last of them.
    pub(super) fn replace(&self, rows: Vec<LaneRow>) {
        self.replace_ledgers(&rows);
        let mut lanes = self.by_id.write().unwrap_or_else(PoisonError::into_inner);
        let mut former = std::mem::take(&mut *lanes);
        for row in rows {
            let lane = match former.remove(&row.id) {
                Some(lane) if lane.described == row => lane,
                changed => {
                    if let Some(lane) = changed {
                        lane.pool.retire();
                    }
                    Arc::new(self.open(row))
                }
            };
            lanes.insert(lane.described.id, lane);
        }
        drop(lanes);
        for lane in former.into_values() {
            lane.pool.retire();
        }
    }

    /// Closes connections that have lain idle for long.
    pub(super) fn reap(&self) {
        for lane in self.all() {
            lane.pool.reap();
        }
        for ledger in self.ledgers() {
            ledger.reap();
        }
    }

    /// Closes all pools.
    pub fn close(&self) {
        let lanes =
            std::mem::take(&mut *self.by_id.write().unwrap_or_else(PoisonError::into_inner));
        for lane in lanes.into_values() {
            lane.pool.close();
        }
        for ledger in self.ledgers() {
            ledger.close();
        }
    }

    fn open(&self, row: LaneRow) -> Lane {
        let width = u32::try_from(row.width).unwrap_or(1).max(1);
        let node = row.address();
        let options = lane_options(&self.platform, &self.config.secret, &row.login_role, &node);
        Lane {
            pool: Pool::new(options, width, &self.config, self.home.clone()),
            long_work: Arc::new(Semaphore::new(width.div_ceil(2).max(1) as usize)),
            refused_by_cap: AtomicU64::new(0),
            described: row,
        }
    }
}

/// How a lane's login reaches its node: as the platform is reached, but for what the node has of its
/// own.
pub(super) fn lane_options(
    platform: &PgConnectOptions,
    secret: &SecretString,
    login: &str,
    node: &NodeAddress,
) -> PgConnectOptions {
    let password = login_password(secret, login);
    let mut options = platform
        .clone()
        .username(login)
        .password(password.expose_secret())
        .application_name("tubex");
    if let Some(host) = &node.host {
        options = options.host(host);
    }
    if let Some(port) = node.port {
        options = options.port(port);
    }
    if let Some(database) = &node.database {
        options = options.database(database);
    }
    options
}

impl Lane {
    /// One of its tenants was at its own bound.
    pub(super) fn count_a_refusal(&self) {
        self.refused_by_cap.fetch_add(1, Ordering::Relaxed);
    }

    /// How often that was so.
    pub(super) fn refused_by_cap(&self) -> u64 {
        self.refused_by_cap.load(Ordering::Relaxed)
    }

    /// Waits for leave to keep a connection for seconds, no longer than for a connection.
    pub(super) async fn begin_long_work(&self) -> Result<Place, DbErr> {
        let asking = self.long_work.clone().acquire_owned();
        match tokio::time::timeout(self.pool.patience(), asking).await {
            Ok(Ok(place)) => Ok(place),
            Ok(Err(_)) | Err(_) => Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)),
        }
    }
}

impl std::fmt::Debug for Lanes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Lanes")
    }
}
