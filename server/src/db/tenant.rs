//! The door to one dealer's rows.

use std::sync::Arc;

use sea_orm::DbErr;

use super::directory::Tenant;
use super::pool::Pool;
use super::transaction::TenantTx;

/// Opens transactions in one dealer's schema. It comes from the directory, and runs no query.
#[derive(Clone)]
pub struct TenantDb {
    tenant: Arc<Tenant>,
    pool: Pool,
    statement_timeout_ms: u64,
}

/// Whether a transaction may write; the database holds it to that.
#[derive(Clone, Copy)]
enum Access {
    ReadOnly,
    ReadWrite,
}

impl TenantDb {
    pub(super) fn new(tenant: Arc<Tenant>, pool: Pool, statement_timeout_ms: u64) -> Self {
        Self {
            tenant,
            pool,
            statement_timeout_ms,
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

    async fn open(&self, access: Access) -> Result<TenantTx, DbErr> {
        let tag = format!("/*{}*/ ", self.tenant.schema.as_str());
        TenantTx::open(&self.pool, &self.start(access), tag).await
    }

    /// One message: nothing is ever set on the session, so nothing can leak to the connection's
    /// next user. `pg_temp` is named last, lest a temporary table shadow a real one.
    fn start(&self, access: Access) -> String {
        let schema = self.tenant.schema.as_str();
        let begin = match access {
            Access::ReadOnly => "BEGIN READ ONLY",
            Access::ReadWrite => "BEGIN",
        };
        format!(
            "{begin}; SET LOCAL ROLE {schema}; SET LOCAL search_path = {schema}, shared, pg_temp; \
             SET LOCAL statement_timeout = {}",
            self.statement_timeout_ms
        )
    }
}

impl std::fmt::Debug for TenantDb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TenantDb")
            .field("tenant", &self.tenant.key())
            .finish_non_exhaustive()
    }
}
