//! A transaction on one connection, opened by one message behind a guard.
//!
//! With sqlx 0.9.0 a connection is still *inside* the transaction when `begin` was cancelled or
//! failed half-way (transact-rs/sqlx #4385, #4409). So a connection is in doubt from the moment the
//! start is sent until the commit was answered, or a rollback sent after an answer that was read to
//! its end; dropped in doubt it is closed, not reused.

use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sea_orm::{
    ConnAcquireErr, ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr,
    Statement, Value, Values,
};
use sea_query_sqlx::SqlxValues;
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Executor, Postgres};
use tokio::runtime::Handle;
use tokio::sync::Mutex;
use uuid::Uuid;

use super::bell::{Bell, Ring, Wake};
use super::ends::{self, Told};
use super::failure::is_connection_lost;
use super::gate::Place;
use super::parting::Parting;
use super::pool::{Lease, Pool};
use crate::kernel::TenantKey;

const NOTHING_TO_COMMIT: &str =
    "a statement of the transaction was refused before, so there is nothing to commit";
const NEVER_COMMITTED: &str = "a transaction for reading ends without a commit";
/// Time for the end of a transaction beyond that of the statement that may still run.
const TIME_TO_END: Duration = Duration::from_secs(1);

/// A transaction in one dealer's schema, under that dealer's role.
pub type TenantTx = Tx<TenantScope>;
/// A transaction in the platform's schema.
pub type PlatformTx = Tx<PlatformScope>;

/// A transaction in a node's schema of jobs.
pub type JobsTx = Tx<JobsScope>;

/// Marks a dealer's transaction.
#[derive(Debug)]
pub enum TenantScope {}
/// Marks the platform's transaction.
#[derive(Debug)]
pub enum PlatformScope {}

/// Marks a transaction in a node's schema of jobs.
#[derive(Debug)]
pub enum JobsScope {}

/// Who begins a transaction, and for what.
#[derive(Default)]
pub(super) struct Visit {
    /// Comes again to the same connection, if it can.
    pub(super) visitor: Option<Uuid>,
    /// Begins every statement's text, so that each dealer has its own prepared statements.
    pub(super) tag: String,
    /// How long a statement may go on after nobody waits for it any more.
    pub(super) longest_statement: Duration,
    /// It ends by being dropped.
    pub(super) is_for_reading: bool,
}

/// An open transaction; it rolls back when dropped.
pub struct Tx<Scope> {
    /// Gone only once the transaction has ended.
    lease: Option<Mutex<Lease>>,
    visit: Visit,
    /// What is said in one message with the commit.
    parting: Parting,
    stale_plan: AtomicBool,
    /// The database refused a statement, and with it all that was done and will be done here.
    has_failed: AtomicBool,
    /// A statement was sent and its answer not read to the end.
    is_asking: AtomicBool,
    /// Free again when the connection is.
    place: Option<Place>,
    /// What to ring once the work is permanent.
    ring: Option<Ring>,
    scope: PhantomData<fn() -> Scope>,
}

impl<Scope> Tx<Scope> {
    /// Opens a transaction with `start`, which is `BEGIN` and what belongs to it in one message.
    ///
    /// The pool's time limit holds for all of it: a database that has fallen silent accepts the
    /// message and never answers.
    pub(super) async fn open(pool: &Pool, start: &str, visit: Visit) -> Result<Self, DbErr> {
        match tokio::time::timeout(pool.patience(), Self::begin(pool, start, visit)).await {
            Ok(opened) => opened,
            Err(_) => {
                pool.count_a_timeout();
                Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout))
            }
        }
    }

    /// Connections that died while they lay idle are replaced here: nothing has been done yet,
    /// so trying again is safe.
    async fn begin(pool: &Pool, start: &str, visit: Visit) -> Result<Self, DbErr> {
        let mut dead_ones_left = pool.width();
        loop {
            let mut lease = pool.acquire(visit.visitor).await?;
            match ends::begin(&mut lease, start).await {
                Ok(()) => return Ok(Self::on(lease, visit)),
                Err(error) if is_connection_lost(&error) && dead_ones_left > 0 => {
                    dead_ones_left -= 1;
                }
                Err(error) => return Err(query_error(error)),
            }
        }
    }

    fn on(lease: Lease, visit: Visit) -> Self {
        Self {
            lease: Some(Mutex::new(lease)),
            visit,
            parting: Parting::default(),
            stale_plan: AtomicBool::new(false),
            has_failed: AtomicBool::new(false),
            is_asking: AtomicBool::new(false),
            place: None,
            ring: None,
            scope: PhantomData,
        }
    }

    /// Keeps a place within its dealer's bound until the connection is free again.
    pub(super) fn within(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// Rings for a tenant when it commits.
    pub(super) fn ringing(mut self, bell: Arc<Bell>, tenant: TenantKey) -> Self {
        self.ring = Some(Ring::new(bell, tenant));
        self
    }

    /// Has somebody woken when the work is permanent.
    pub fn wake(&self, whom: Wake) {
        if let Some(ring) = &self.ring {
            ring.want(whom);
        }
    }

    /// Makes the work permanent. Takes the transaction itself: a borrower can't end it.
    ///
    /// # Errors
    ///
    /// When the database refuses, also what was put down [for the commit](TenantTx::at_commit), or
    /// the answer is lost; the outcome is then unknown. Also when a statement was refused before and
    /// nobody minded: Postgres answers such a commit with a rollback, and no error.
    pub async fn commit(mut self) -> Result<(), DbErr> {
        if *self.has_failed.get_mut() {
            return Err(DbErr::Custom(NOTHING_TO_COMMIT.to_owned()));
        }
        let last = self.parting.with_commit(&self.visit.tag);
        let mut lease = self.take();
        if let Err(error) = ends::commit(&mut lease, last).await {
            // Refused by a database that goes on: to be rolled back, as after any refusal.
            if error.as_database_error().is_some() && !is_connection_lost(&error) {
                self.lease = Some(Mutex::new(lease));
            }
            return Err(exec_error(error));
        }
        lease.trust();
        if let Some(ring) = &self.ring {
            ring.now();
        }
        Ok(())
    }

    /// Whether a statement failed because its plan was made before a migration (SQLSTATE 0A000).
    pub(super) fn met_a_stale_plan(&self) -> bool {
        self.stale_plan.load(Ordering::Relaxed)
    }

    /// Rolls back, drops the connection's prepared statements, whose plans are out of date, and
    /// begins again on the same connection: any other may hold stale plans of its own.
    pub(super) async fn with_fresh_plans(mut self, start: &str) -> Result<Self, DbErr> {
        let mut lease = self.take();
        ends::roll_back(&mut lease).await.map_err(exec_error)?;
        lease.forget_statements().await.map_err(exec_error)?;
        let begun = ends::begin(&mut lease, start).await;
        begun.map_err(query_error)?;
        let mut again = Self::on(lease, std::mem::take(&mut self.visit));
        again.place = self.place.take();
        again.ring = self.ring.take();
        Ok(again)
    }

    fn take(&mut self) -> Lease {
        let lease = self.lease.take();
        lease
            .expect("only a consuming method takes the connection")
            .into_inner()
    }

    /// Runs one statement. Whoever stops waiting leaves the connection in the middle of an answer,
    /// which the end of the transaction must know.
    async fn ask<T>(
        &self,
        turn: fn(sqlx::Error) -> DbErr,
        statement: impl AsyncFnOnce(&mut Lease) -> Result<T, sqlx::Error>,
    ) -> Result<T, DbErr> {
        let lease = self.lease.as_ref();
        let mut lease = lease
            .expect("only a consuming method takes the connection")
            .lock()
            .await;
        self.is_asking.store(true, Ordering::Relaxed);
        let answer = statement(&mut lease).await;
        self.is_asking.store(false, Ordering::Relaxed);
        self.noticing(answer, turn)
    }

    fn tagged(&self, sql: &str) -> String {
        format!("{}{sql}", self.visit.tag)
    }

    fn noticing<T>(
        &self,
        result: Result<T, sqlx::Error>,
        turn: fn(sqlx::Error) -> DbErr,
    ) -> Result<T, DbErr> {
        result.map_err(|error| {
            if is_stale_plan(&error) {
                self.stale_plan.store(true, Ordering::Relaxed);
            }
            if error.as_database_error().is_some() {
                self.has_failed.store(true, Ordering::Relaxed);
            }
            turn(error)
        })
    }
}

impl TenantTx {
    /// Puts a statement down for the commit: it is sent in one message with it, after all else and
    /// in the order in which it was put down, so it costs no round trip. Nobody sees its rows. It
    /// can't be prepared, so it had better call a function; its values are written into its text,
    /// so each wants a cast. What the database has against it is an error of the commit, and then
    /// nothing is there of the whole transaction.
    ///
    /// # Errors
    ///
    /// When a value holds a character that no text in the database can hold, or the transaction is
    /// one for reading; nothing is committed then.
    pub fn at_commit(&self, sql: &'static str, values: Vec<Value>) -> Result<(), DbErr> {
        let put = match self.visit.is_for_reading {
            true => Err(DbErr::Custom(NEVER_COMMITTED.to_owned())),
            false => self.parting.put(sql, values),
        };
        put.inspect_err(|_| self.has_failed.store(true, Ordering::Relaxed))
    }
}

impl<Scope> Drop for Tx<Scope> {
    /// Rolls back, and nobody waits for it: what the connection is asked next, it does after that.
    fn drop(&mut self) {
        let Some(lease) = self.lease.take() else {
            return;
        };
        let mut lease = lease.into_inner();
        let was_asking = *self.is_asking.get_mut();
        match (ends::tell_to_end(&mut lease), was_asking) {
            // Dropped in doubt, the connection is closed.
            (Told::NotAtAll, _) => return,
            (Told::InFull, false) => {
                lease.trust();
                return;
            }
            (Told::InFull, true) | (Told::InPart, _) => {}
        }
        let place = self.place.take();
        let patience = self.visit.longest_statement + TIME_TO_END;
        // Without a runtime nobody would read the answer: then the connection is closed.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move {
                let ending = ends::wait_for_the_end(lease, was_asking);
                if tokio::time::timeout(patience, ending).await.is_err() {
                    tracing::warn!("a connection fell silent in its transaction and was closed");
                }
                drop(place);
            });
        }
    }
}

impl<Scope> std::fmt::Debug for Tx<Scope> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tx")
            .field("tag", &self.visit.tag)
            .finish_non_exhaustive()
    }
}

#[async_trait::async_trait]
impl<Scope> ConnectionTrait for Tx<Scope> {
    fn get_database_backend(&self) -> DbBackend {
        DbBackend::Postgres
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        let text = self.tagged(&statement.sql);
        let done = self.ask(exec_error, async |lease| {
            let query = query(lease, text, statement.values);
            query.execute(lease.raw()).await
        });
        done.await.map(Into::into)
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let text = AssertSqlSafe(self.tagged(sql));
        let done = self.ask(exec_error, async |lease| lease.raw().execute(text).await);
        done.await.map(Into::into)
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let text = self.tagged(&statement.sql);
        let row = self.ask(query_error, async |lease| {
            let query = query(lease, text, statement.values);
            query.fetch_optional(lease.raw()).await
        });
        Ok(row.await?.map(Into::into))
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let text = self.tagged(&statement.sql);
        let rows = self.ask(query_error, async |lease| {
            let query = query(lease, text, statement.values);
            query.fetch_all(lease.raw()).await
        });
        Ok(rows.await?.into_iter().map(Into::into).collect())
    }
}

fn query(
    lease: &mut Lease,
    text: String,
    values: Option<Values>,
) -> Query<'static, Postgres, SqlxValues> {
    let is_kept = lease.prepare(&text);
    let values = SqlxValues(values.unwrap_or(Values(Vec::new())));
    sqlx::query_with(AssertSqlSafe(text), values).persistent(is_kept)
}

fn is_stale_plan(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .is_some_and(|e| e.code().as_deref() == Some("0A000"))
}

fn exec_error(error: sqlx::Error) -> DbErr {
    DbErr::Exec(RuntimeErr::SqlxError(error.into()))
}

fn query_error(error: sqlx::Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(error.into()))
}
