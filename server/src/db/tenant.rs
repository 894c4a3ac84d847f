//! The door to one dealer's rows.

use std::sync::Arc;
use std::time::Duration;

use provisioner::SchemaName;
use sea_orm::DbErr;

use super::directory::{Directory, Tenant};
use super::failure::is_gone_from_here;
use super::gate::{Limits, Place};
use super::lanes::Lane;
use super::transaction::{TenantTx, Visit};

/// Opens transactions in one dealer's schema. It comes from the directory, and runs no query.
#[derive(Clone)]
pub struct TenantDb {
    directory: Arc<Directory>,
    tenant: Arc<Tenant>,
    lane: Arc<Lane>,
    /// Whatever is asked for, nothing is written.
    is_read_only: bool,
}

/// Whether a transaction may write; the database holds it to that.
#[derive(Clone, Copy)]
enum Access {
    ReadOnly,
    ReadWrite,
}

/// Before a dealer is looked up again. More than once: a backend may learn of a new membership a
/// moment after the directory's row is seen to have changed.
const PAUSES: [Duration; 4] = [
    Duration::ZERO,
    Duration::from_millis(5),
    Duration::from_millis(25),
    Duration::from_millis(125),
];

/// Leave to do work that keeps a connection for long; it ends when this is dropped.
#[derive(Debug)]
pub struct LongWork {
    _place: Place,
}

impl TenantDb {
    pub(super) fn new(directory: Arc<Directory>, tenant: Arc<Tenant>, lane: Arc<Lane>) -> Self {
        Self {
            directory,
            tenant,
            lane,
            is_read_only: false,
        }
    }

    /// The same door for reading only: a transaction that is to write is refused its first
    /// statement that does, by the database.
    pub(super) fn read_only(self) -> Self {
        Self {
            is_read_only: true,
            ..self
        }
    }

    /// Whose rows these are.
    pub fn tenant(&self) -> &Tenant {
        &self.tenant
    }

    /// Runs `work` in a read-only transaction, which ends by being dropped: a rollback costs the
    /// request nothing.
    ///
    /// `work` may run twice: a plan that a migration made stale is dropped and made anew.
    ///
    /// # Errors
    ///
    /// What `work` says, or the database's when the transaction can't be opened.
    pub async fn read<T, E: From<DbErr>>(
        &self,
        work: impl AsyncFn(&TenantTx) -> Result<T, E>,
    ) -> Result<T, E> {
        let tx = self.open(Access::ReadOnly).await?;
        let done = work(&tx).await;
        if done.is_err() && tx.met_a_stale_plan() {
            let again = tx.with_fresh_plans(&self.start(Access::ReadOnly)).await?;
            return work(&again).await;
        }
        done
    }

    /// Runs `work` in a transaction that commits on `Ok` and rolls back on `Err`.
    ///
    /// `work` may run twice, as in [`TenantDb::read`]; nothing of the first time is kept.
    ///
    /// # Errors
    ///
    /// What `work` says, or the database's when the transaction can't be opened or committed.
    pub async fn write<T, E: From<DbErr>>(
        &self,
        work: impl AsyncFn(&TenantTx) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut tx = self.open(Access::ReadWrite).await?;
        let mut done = work(&tx).await;
        if done.is_err() && tx.met_a_stale_plan() {
            tx = tx.with_fresh_plans(&self.start(Access::ReadWrite)).await?;
            done = work(&tx).await;
        }
        let value = done?;
        tx.commit().await?;
        Ok(value)
    }

    /// A transaction that commits only when it is told to, for work that is done in many steps
    /// and must not be repeated, such as a stream of rows.
    ///
    /// # Errors
    ///
    /// When the transaction can't be opened.
    pub async fn begin(&self) -> Result<TenantTx, DbErr> {
        self.open(Access::ReadWrite).await
    }

    /// The same for work that may not write; it ends by being dropped.
    ///
    /// # Errors
    ///
    /// When the transaction can't be opened.
    pub async fn begin_read_only(&self) -> Result<TenantTx, DbErr> {
        self.open(Access::ReadOnly).await
    }

    /// To be asked for before a transaction that takes seconds: only half of a lane's connections
    /// do such work at once, so that the short requests of all its dealers go on.
    ///
    /// # Errors
    ///
    /// When the others took too long.
    pub async fn long_work(&self) -> Result<LongWork, DbErr> {
        let place = self.lane.begin_long_work().await?;
        Ok(LongWork { _place: place })
    }

    /// A dealer that is no longer where the directory said has moved: it is looked up again, and
    /// the transaction begins there. Nothing was done yet, so trying again is safe.
    async fn open(&self, access: Access) -> Result<TenantTx, DbErr> {
        let entering = self.tenant.gate.enter(self.directory.tenant_wait());
        let place = entering
            .await
            .inspect_err(|_| self.lane.count_a_refusal())?;
        let start = self.start(access);
        let mut lane = self.lane.clone();
        let mut pauses = PAUSES.iter();
        loop {
            match TenantTx::open(&lane.pool, &start, self.visit(access)).await {
                Ok(tx) => {
                    let bell = self.directory.bell().clone();
                    return Ok(tx.within(place).ringing(bell, self.tenant.key()));
                }
                Err(error) if is_gone_from_here(&error) => {
                    let Some(pause) = pauses.next() else {
                        return Err(error);
                    };
                    tokio::time::sleep(*pause).await;
                    if let Some(now) = self.directory.lane_now(&self.tenant).await? {
                        lane = now;
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn visit(&self, access: Access) -> Visit {
        Visit {
            visitor: Some(self.tenant.id),
            tag: format!("/*{}*/ ", self.tenant.schema.as_str()),
            longest_statement: Duration::from_millis(self.tenant.limits.statement_timeout_ms),
            is_for_reading: matches!(access, Access::ReadOnly),
        }
    }

    fn start(&self, access: Access) -> String {
        let begin = match access {
            Access::ReadWrite if !self.is_read_only => "BEGIN",
            Access::ReadOnly | Access::ReadWrite => "BEGIN READ ONLY",
        };
        start(begin, &self.tenant.schema, self.tenant.limits)
    }
}

/// One message: nothing is ever set on the session, so nothing can leak to the connection's
/// next user. `pg_temp` is named last, lest a temporary table shadow a real one.
pub(super) fn start(begin: &str, schema: &SchemaName, limits: Limits) -> String {
    let schema = schema.as_str();
    format!(
        "{begin}; SET LOCAL ROLE {schema}; SET LOCAL search_path = {schema}, shared, pg_temp; \
         SET LOCAL statement_timeout = {}; SET LOCAL idle_in_transaction_session_timeout = {}",
        limits.statement_timeout_ms, limits.idle_in_transaction_timeout_ms
    )
}

impl std::fmt::Debug for TenantDb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TenantDb")
            .field("tenant", &self.tenant.key())
            .finish_non_exhaustive()
    }
}
