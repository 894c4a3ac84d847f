//! The directory: an in-process map of all tenants, so that no request asks who a host is.

mod index;
mod load;
mod observe;
mod refresh;

pub use index::{Address, Tenant, TenantStatus};

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use moka::sync::Cache;
use sea_orm::DbErr;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use self::index::Index;
use super::bell::Bell;
use super::gate::Limits;
use super::lanes::{Lane, Lanes};
use super::ledger::Ledger;
use super::platform::PlatformDb;
use super::schema_version;
use super::tenant::TenantDb;
use crate::config::Database;

/// Names that belong to nobody are remembered, so that asking again costs nothing.
const UNKNOWN_KEPT: u64 = 10_000;
/// How long; a dealer whose creation wasn't heard of appears after this at the latest.
const UNKNOWN_FOR: Duration = Duration::from_secs(5);
/// Look-ups of unheard names under way at once; more of them are answered "unknown" at once.
const LOOKUPS: usize = 2;

/// Knows every tenant and opens the door to its rows. One per process.
pub struct Directory {
    index: RwLock<Index>,
    loaded: AtomicBool,
    unknown: Cache<Address, ()>,
    lookups: Semaphore,
    lanes: Lanes,
    platform: PlatformDb,
    bell: Arc<Bell>,
    /// For tenants whose plan doesn't say otherwise.
    limits: Limits,
    /// How long a request may wait for its tenant's others.
    tenant_wait: Duration,
    fresh_at: Mutex<Option<Instant>>,
}

/// What an address leads to.
#[derive(Debug, Clone)]
pub enum Found {
    /// A tenant, in whatever state it is.
    Tenant(Arc<Tenant>),
    /// Nobody.
    Nobody,
    /// The directory has not been read yet.
    NotReady,
}

/// What a tenant's rows are opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Anything. A closing tenant stays shut.
    Work,
    /// Reading only; in a closing tenant the database holds it to that.
    Read,
    /// Beginning, renewing or ending a session, which a closing tenant allows too: without one
    /// nobody could read it.
    Session,
}

/// Why a tenant's rows stay shut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DirectoryError {
    /// The dealer is being created.
    #[error("the dealer is being set up")]
    Provisioning,
    /// An operator has suspended it.
    #[error("the dealer is suspended")]
    Suspended,
    /// Its bill was not paid within the grace time.
    #[error("the dealer's subscription is past its grace time")]
    PastGrace,
    /// It is closing, so it can be read and changed no more.
    #[error("the dealer is closing and can be changed no more")]
    Closing,
    /// It has been archived, or is gone.
    #[error("the dealer has closed")]
    Closed,
    /// A migration has not reached it yet.
    #[error("the dealer's data is being upgraded")]
    SchemaTooOld,
    /// Its lane isn't known yet.
    #[error("the dealer's database is not known yet")]
    NoLane,
}

impl Directory {
    /// An empty directory; [`Directory::keep_fresh`] fills it.
    ///
    /// # Errors
    ///
    /// When the platform's address can't be read.
    pub fn new(platform: PlatformDb, config: &Database) -> Result<Arc<Self>, sqlx::Error> {
        Ok(Arc::new(Self {
            index: RwLock::default(),
            loaded: AtomicBool::new(false),
            unknown: Cache::builder()
                .max_capacity(UNKNOWN_KEPT)
                .time_to_live(UNKNOWN_FOR)
                .build(),
            lookups: Semaphore::new(LOOKUPS),
            lanes: Lanes::new(config)?,
            platform,
            bell: Arc::default(),
            limits: Limits {
                concurrency: config.tenant_concurrency,
                statement_timeout_ms: config.statement_timeout_ms,
                idle_in_transaction_timeout_ms: config.idle_in_transaction_timeout_ms,
            },
            tenant_wait: Duration::from_millis(config.tenant_wait_ms),
            fresh_at: Mutex::default(),
        }))
    }

    /// Reads the directory and keeps it fresh until the task is aborted.
    pub fn keep_fresh(self: &Arc<Self>, config: &Database) -> JoinHandle<()> {
        let reconcile = Duration::from_secs(config.reconcile_seconds);
        let poll = Duration::from_millis(config.poll_ms);
        tokio::spawn(refresh::run(self.clone(), reconcile, poll))
    }

    /// Whether the directory has been read at least once.
    pub fn is_loaded(&self) -> bool {
        self.loaded.load(Ordering::Acquire)
    }

    /// The way to the platform's own rows.
    pub fn platform(&self) -> &PlatformDb {
        &self.platform
    }

    /// What wakes those who wait for jobs and events.
    pub fn bell(&self) -> &Arc<Bell> {
        &self.bell
    }

    /// The jobs of every node.
    pub fn ledgers(&self) -> Vec<Ledger> {
        self.lanes.ledgers()
    }

    /// Where a tenant's jobs are, if its lane is known.
    pub fn ledger_of(&self, tenant: &Tenant) -> Option<Ledger> {
        self.lanes.ledger_of(tenant.lane_id)
    }

    /// The tenant that this schema belongs to: jobs know no other name of it.
    pub fn tenant_of(&self, schema: &str) -> Option<Arc<Tenant>> {
        self.read_index().get_by_schema(schema)
    }

    /// How many tenants there are.
    pub fn len(&self) -> usize {
        self.read_index().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All tenants that can be served, for work that goes round them.
    pub fn all(&self) -> Vec<Arc<Tenant>> {
        self.read_index().all()
    }

    /// Looks in the map; a name that isn't there is asked for once, in case its creation wasn't
    /// heard of, and then counts as nobody's for a few seconds.
    pub async fn find(&self, address: &Address) -> Found {
        if let Some(tenant) = self.read_index().get(address) {
            return Found::Tenant(tenant);
        }
        if !self.is_loaded() {
            return Found::NotReady;
        }
        if self.unknown.contains_key(address) {
            return Found::Nobody;
        }
        let Ok(_permit) = self.lookups.try_acquire() else {
            return Found::Nobody;
        };
        match self.load_by_address(address).await {
            Ok(Some(tenant)) => Found::Tenant(tenant),
            Ok(None) => {
                self.unknown.insert(address.clone(), ());
                Found::Nobody
            }
            Err(error) => {
                tracing::warn!(error = %error, "an unheard name could not be looked up");
                Found::Nobody
            }
        }
    }

    /// Opens the door to a tenant's rows for any work, unless its state or its version keeps it
    /// shut.
    ///
    /// # Errors
    ///
    /// [`DirectoryError`] says what keeps it shut.
    pub fn enter(self: &Arc<Self>, tenant: &Arc<Tenant>) -> Result<TenantDb, DirectoryError> {
        self.enter_for(Purpose::Work, tenant)
    }

    /// The same for one purpose.
    ///
    /// # Errors
    ///
    /// [`DirectoryError`] says what keeps it shut.
    pub fn enter_for(
        self: &Arc<Self>,
        purpose: Purpose,
        tenant: &Arc<Tenant>,
    ) -> Result<TenantDb, DirectoryError> {
        let mut is_read_only = false;
        match tenant.status {
            TenantStatus::Active => {}
            TenantStatus::Closing => match purpose {
                Purpose::Work => return Err(DirectoryError::Closing),
                Purpose::Read => is_read_only = true,
                Purpose::Session => {}
            },
            // A spare has no address of its own, and so nobody asks for it.
            TenantStatus::Spare | TenantStatus::Provisioning => {
                return Err(DirectoryError::Provisioning);
            }
            TenantStatus::Suspended => return Err(DirectoryError::Suspended),
            TenantStatus::PastGrace => return Err(DirectoryError::PastGrace),
            TenantStatus::Archived | TenantStatus::Gone => return Err(DirectoryError::Closed),
        }
        if !schema_version::can_serve(&tenant.schema_version) {
            return Err(DirectoryError::SchemaTooOld);
        }
        let lane = self.lanes.get(tenant.lane_id);
        let lane = lane.ok_or(DirectoryError::NoLane)?;
        let db = TenantDb::new(self.clone(), tenant.clone(), lane);
        Ok(if is_read_only { db.read_only() } else { db })
    }

    /// Opens the door to put something on a tenant's record, wherever it stands in its life: what
    /// is done to a tenant that is suspended or closing belongs there too.
    ///
    /// # Errors
    ///
    /// [`DirectoryError`] when it has no rows (yet, or any more), or older ones than this build
    /// knows.
    pub fn enter_to_record(self: &Arc<Self>, tenant: &Tenant) -> Result<TenantDb, DirectoryError> {
        match tenant.status {
            TenantStatus::Active
            | TenantStatus::Closing
            | TenantStatus::Suspended
            | TenantStatus::PastGrace => {}
            TenantStatus::Spare | TenantStatus::Provisioning => {
                return Err(DirectoryError::Provisioning);
            }
            TenantStatus::Archived | TenantStatus::Gone => return Err(DirectoryError::Closed),
        }
        if !schema_version::can_serve(&tenant.schema_version) {
            return Err(DirectoryError::SchemaTooOld);
        }
        let lane = self.lanes.get(tenant.lane_id);
        let lane = lane.ok_or(DirectoryError::NoLane)?;
        Ok(TenantDb::new(self.clone(), Arc::new(tenant.clone()), lane))
    }

    /// Asks the database whether it is there.
    ///
    /// # Errors
    ///
    /// When it isn't.
    pub async fn ping(&self) -> Result<(), DbErr> {
        self.platform.read(async |_| Ok(())).await
    }

    /// Closes every connection to every dealer.
    pub fn close(&self) {
        self.lanes.close();
    }

    /// How long a request may wait for its tenant's others.
    pub(super) fn tenant_wait(&self) -> Duration {
        self.tenant_wait
    }

    /// The lane that a tenant is on by now, asked of the database.
    pub(super) async fn lane_now(&self, tenant: &Tenant) -> Result<Option<Arc<Lane>>, DbErr> {
        let now = self.load_by_address(&Address::Id(tenant.id)).await?;
        Ok(now.and_then(|now| self.lanes.get(now.lane_id)))
    }

    async fn load_by_address(&self, address: &Address) -> Result<Option<Arc<Tenant>>, DbErr> {
        let rows = self
            .platform
            .read(async |tx| load::by_address(tx, address).await)
            .await?;
        let Some(id) = rows.first().map(|row| row.id) else {
            return Ok(None);
        };
        if let Some(row) = rows.first()
            && self.lanes.get(row.lane_id).is_none()
        {
            self.lanes.replace(self.platform.read(load::lanes).await?);
        }
        self.put(rows);
        Ok(self.read_index().get(&Address::Id(id)))
    }

    fn put(&self, rows: Vec<load::TenantRow>) {
        let mut index = self.index.write().unwrap_or_else(PoisonError::into_inner);
        for tenant in rows
            .into_iter()
            .filter_map(|row| row.into_tenant(self.limits))
        {
            for address in index.put(tenant) {
                self.unknown.invalidate(&address);
            }
        }
    }

    fn read_index(&self) -> std::sync::RwLockReadGuard<'_, Index> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Directory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Directory")
            .field("tenants", &self.len())
            .finish_non_exhaustive()
    }
}
