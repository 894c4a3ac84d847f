//! Where a migration is taken: a thread, a connection and a transaction of its own, so that one
//! that panics, loops for ever or loses its connection ends alone.

mod ear;
mod script;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use sea_orm::{
    ConnectionTrait as _, DatabaseConnection, DatabaseTransaction, DbErr, SqlxPostgresConnector,
};
use sea_orm_migration::{MigratorTraitSelf as _, SchemaManager};
use sqlx::postgres::PgConnectOptions;
use tokio::sync::{mpsc, oneshot};

pub(super) use self::ear::Shot;
use self::ear::{Ear, Heard};
pub(super) use self::script::words;
use super::snapshot::{Snapshot, snapshot};
use crate::fingerprint::{self, Shape};
use crate::query::one;
use crate::transaction::{Limits, begin, enter, finish};
use crate::{Product, SchemaName, db_error};

/// How long making a connection may take, which is not the migration's time.
const GREETING: Duration = Duration::from_secs(5);

/// How long a thread may take to end after its connection was ended.
const FAREWELL: Duration = Duration::from_secs(2);

/// How long a migration waits for locks: nobody else is here who could hold any.
const LOCK_TIMEOUT: Duration = Duration::from_secs(5);

/// Which way a migration is taken, and what is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// Up, watched statement by statement, and kept.
    Watch,
    /// Up, and kept.
    Up,
    /// Down and up again; what the schema looks like after each, and nothing is kept.
    ThereAndBack,
}

/// What is to be taken where.
#[derive(Debug)]
pub(super) struct Task<P> {
    pub(super) product: Arc<P>,
    /// Its place in the history.
    pub(super) place: usize,
    pub(super) schema: SchemaName,
    pub(super) act: Act,
    pub(super) timeout: Duration,
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// How the schema looked before the first statement.
    pub(super) before: Snapshot,
    /// After each statement.
    pub(super) shots: Vec<Shot>,
    /// Statements that would begin or end a transaction; they were not passed on.
    pub(super) bounds: Vec<String>,
    /// A question about rows.
    pub(super) question: Option<String>,
    /// How long it took, without what watching took.
    pub(super) duration: Duration,
    /// What the schema looks like after the way back, and after going up again.
    pub(super) back: Option<Shape>,
    pub(super) again: Option<Shape>,
    /// What the database said against going up again, and to which statement.
    pub(super) again_refused: Option<(String, Option<String>)>,
    /// Other sessions that were begun in the database meanwhile.
    pub(super) sessions: i64,
}

/// Why nothing came of it.
#[derive(Debug)]
pub(super) enum Trouble {
    /// A statement failed.
    Failed {
        cause: DbErr,
        statement: Option<String>,
        way: &'static str,
    },
    /// It went on after an error that leaves its transaction aborted.
    Aborted { statement: Option<String> },
    /// Its code panicked.
    Panicked(String),
    /// It did not end in time.
    Hung { statement: Option<String> },
    /// There was no connection to begin with.
    Unreachable(DbErr),
}

/// Takes a migration. A thread that never ends is left behind with its connection ended.
pub(super) async fn take<P: Product>(
    scratch: &DatabaseConnection,
    options: &PgConnectOptions,
    task: Task<P>,
) -> Result<Taken, Trouble> {
    let (tell_pid, mut pids) = mpsc::unbounded_channel();
    let (tell, told) = oneshot::channel();
    let heard = Arc::new(Mutex::new(Heard::default()));
    let timeout = task.timeout;
    let (options, ear) = (options.clone(), Arc::clone(&heard));
    let spawned = thread::Builder::new()
        .name("migration".to_owned())
        .spawn(move || {
            let outcome =
                catch_unwind(AssertUnwindSafe(|| perform(&options, &task, ear, tell_pid)));
            // Nobody listens any more to one that came too late.
            let _ = tell.send(outcome);
        });
    if let Err(error) = spawned {
        return Err(Trouble::Unreachable(DbErr::Custom(error.to_string())));
    }
    let mut told = told;
    let outcome = match tokio::time::timeout(timeout + GREETING, &mut told).await {
        Ok(outcome) => outcome,
        Err(_) => {
            let pid: Option<i32> = pids.try_recv().ok();
            end(scratch, pid).await;
            let statement = under_way(&heard);
            // It may still say something, and it is too late for that.
            let _ = tokio::time::timeout(FAREWELL, &mut told).await;
            return Err(Trouble::Hung { statement });
        }
    };
    match outcome {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(panic)) => Err(Trouble::Panicked(words_of(&*panic))),
        Err(_) => Err(Trouble::Panicked("its thread ended".to_owned())),
    }
}

fn under_way(heard: &Mutex<Heard>) -> Option<String> {
    let heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
    heard.under_way.clone()
}

fn words_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "it gave no text".to_owned())
}

async fn end(scratch: &DatabaseConnection, pid: Option<i32>) {
    let Some(pid) = pid else { return };
    let ended = one(scratch, "SELECT pg_terminate_backend($1)", [pid.into()]).await;
    if let Err(error) = ended {
        tracing::debug!(error = %error, "a connection could not be ended");
    }
}

/// All of it, on the thread.
fn perform<P: Product>(
    options: &PgConnectOptions,
    task: &Task<P>,
    heard: Arc<Mutex<Heard>>,
    tell_pid: mpsc::UnboundedSender<i32>,
) -> Result<Taken, Trouble> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Trouble::Unreachable(DbErr::Custom(error.to_string())))?;
    let outcome = runtime.block_on(async {
        let db = connect(options);
        let pid = greet(&db).await.map_err(Trouble::Unreachable)?;
        // The other side waits for nothing else.
        let _ = tell_pid.send(pid);
        let sessions = sessions(&db).await.map_err(Trouble::Unreachable)?;
        let work = act(&db, task, &heard);
        let outcome = match tokio::time::timeout(task.timeout, work).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Trouble::Hung {
                statement: under_way(&heard),
            }),
        };
        let mut taken = outcome?;
        taken.sessions = self::sessions(&db).await.map_or(0, |now| now - sessions);
        // Only a farewell.
        let _ = db.close().await;
        Ok(taken)
    });
    // What a migration has spawned must not keep us.
    runtime.shutdown_background();
    outcome
}

#[expect(
    clippy::disallowed_types,
    reason = "one connection on the scratch database, for one migration"
)]
fn connect(options: &PgConnectOptions) -> DatabaseConnection {
    let pool = sqlx::postgres::PgPoolOptions::new()
        .max_connections(1)
        .test_before_acquire(false)
        .acquire_timeout(Duration::from_secs(10))
        .connect_lazy_with(options.clone());
    SqlxPostgresConnector::from_sqlx_postgres_pool(pool)
}

/// The backend's number; counts this session at once, so that those of others can be told.
async fn greet(db: &DatabaseConnection) -> Result<i32, DbErr> {
    let sql = "SELECT pg_backend_pid() AS pid, pg_stat_force_next_flush() IS NULL AS flushed";
    let row = one(db, sql, []).await?;
    row.map_or(Ok(0), |row| row.try_get("", "pid"))
}

/// Sessions of this database that are under way, and those that are over: who ends is counted
/// before it disappears from the first list, hence their order.
async fn sessions(db: &DatabaseConnection) -> Result<i64, DbErr> {
    let sql = "SELECT pg_stat_force_next_flush()";
    db.execute_unprepared(sql).await?;
    let sql = "SELECT count(*) AS sessions FROM pg_stat_activity
               WHERE datname = current_database() AND backend_type = 'client backend'
                   AND application_name <> 'tubex check'";
    let open: i64 = match one(db, sql, []).await? {
        Some(row) => row.try_get("", "sessions")?,
        None => 0,
    };
    let sql = "SELECT sessions FROM pg_stat_database WHERE datname = current_database()";
    let counted: i64 = match one(db, sql, []).await? {
        Some(row) => row.try_get("", "sessions")?,
        None => 0,
    };
    Ok(open + counted)
}

async fn act<P: Product>(
    db: &DatabaseConnection,
    task: &Task<P>,
    heard: &Arc<Mutex<Heard>>,
) -> Result<Taken, Trouble> {
    let limits = Limits {
        lock_timeout: LOCK_TIMEOUT,
        statement_timeout: task.timeout,
        silence: None,
    };
    let failed = |cause| Trouble::Failed {
        cause,
        statement: None,
        way: "up",
    };
    let tx = Arc::new(begin(db, limits).await.map_err(Trouble::Unreachable)?);
    let outcome = within(&tx, task, heard).await;
    // The ear has gone with `within`; if it had not, dropping the transaction rolls it back.
    let Ok(tx) = Arc::try_unwrap(tx) else {
        return outcome;
    };
    match (task.act, outcome) {
        (Act::ThereAndBack, outcome) => {
            if let Err(error) = tx.rollback().await {
                tracing::debug!(error = %error, "could not roll back, the connection is gone");
            }
            outcome
        }
        (_, Ok(taken)) => finish(tx, Ok(taken)).await.map_err(failed),
        (_, Err(trouble)) => {
            if let Err(error) = tx.rollback().await {
                tracing::debug!(error = %error, "could not roll back, the connection is gone");
            }
            Err(trouble)
        }
    }
}

async fn within<P: Product>(
    tx: &Arc<DatabaseTransaction>,
    task: &Task<P>,
    heard: &Arc<Mutex<Heard>>,
) -> Result<Taken, Trouble> {
    let migrations = task.product.migrator().migrations();
    let Some(migration) = migrations.get(task.place) else {
        return Ok(Taken::default());
    };
    let failed = |cause, way| Trouble::Failed {
        cause,
        statement: under_way(heard),
        way,
    };
    enter(tx, &task.schema)
        .await
        .map_err(Trouble::Unreachable)?;
    let watched = (task.act == Act::Watch).then(|| task.schema.clone());
    let before = match &watched {
        Some(schema) => snapshot(tx, schema).await.map_err(Trouble::Unreachable)?,
        None => Snapshot::default(),
    };
    let begun = Instant::now();
    let ear = Ear::connect(Arc::clone(tx), Arc::clone(heard), watched);
    let connection = ear.map_err(Trouble::Unreachable)?;
    let manager = SchemaManager::new(&connection);
    let mut taken = Taken::default();
    if task.act == Act::ThereAndBack {
        let down = migration.down(&manager).await;
        down.map_err(|cause| failed(cause, "down"))?;
        is_sound(tx, heard).await?;
        taken.back = Some(look(tx, task, "down", heard).await?);
        enter(tx, &task.schema)
            .await
            .map_err(Trouble::Unreachable)?;
        match migration.up(&manager).await {
            Ok(()) => taken.again = Some(look(tx, task, "up again", heard).await?),
            Err(cause) => {
                taken.again_refused = Some((db_error::describe(&cause), under_way(heard)));
            }
        }
    } else {
        migration
            .up(&manager)
            .await
            .map_err(|cause| failed(cause, "up"))?;
        is_sound(tx, heard).await?;
    }
    let total = begun.elapsed();
    let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
    taken.before = before;
    taken.duration = total.saturating_sub(heard.watching);
    taken.shots = std::mem::take(&mut heard.shots);
    taken.bounds = std::mem::take(&mut heard.bounds);
    taken.question = heard.question.take();
    Ok(taken)
}

/// A migration that swallowed an error leaves a transaction in which nothing works any more.
async fn is_sound(tx: &DatabaseTransaction, heard: &Mutex<Heard>) -> Result<(), Trouble> {
    match tx.execute_unprepared("SELECT 1").await {
        Ok(_) => Ok(()),
        Err(_) => Err(Trouble::Aborted {
            statement: heard
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .refused
                .clone(),
        }),
    }
}

async fn look<P>(
    tx: &DatabaseTransaction,
    task: &Task<P>,
    way: &'static str,
    heard: &Mutex<Heard>,
) -> Result<Shape, Trouble> {
    let looked = fingerprint::shape(tx, &task.schema);
    looked.await.map_err(|cause| Trouble::Failed {
        cause,
        statement: under_way(heard),
        way,
    })
}
