//! Taking a clone along the way that a run would take, with a watch in hand.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sea_orm::{ConnectionTrait as _, DatabaseConnection, DatabaseTransaction, DbErr, RuntimeErr};
use serde_json::Value;
use sqlx::Connection as _;

use super::LIMITS;
use crate::SchemaName;
use crate::db_error::sqlstate;
use crate::fingerprint;
use crate::fleet::{
    Course, Cut, Path, RunOptions, SILENCE, Work, batch, build, explain, explain_difference,
};
use crate::query::column;
use crate::transaction::{Limits, act_as_owner, begin, enter, finish};

/// A statement was ended because it took too long.
const ENDED: &str = "57014";

/// What was measured.
#[derive(Debug, Default)]
pub(super) struct Taken {
    pub(super) duration: Duration,
    /// How long locks were held that requests wait for.
    pub(super) locked: Duration,
    /// On which tables and indexes.
    pub(super) relations: BTreeSet<String>,
    /// Messages that took such a lock.
    pub(super) locking_messages: u32,
    /// What a run would say of the tenant, if it came to grief.
    pub(super) error: Option<Value>,
    /// The time was up before the end.
    pub(super) is_cut: bool,
}

/// A clone on its node, and how long it may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stage<'a> {
    pub(super) node: &'a DatabaseConnection,
    pub(super) schema: &'a SchemaName,
    pub(super) until: Instant,
}

/// Why a clone went no further.
enum Stop {
    TimeIsUp,
    Refused(DbErr, Option<String>),
    Db(DbErr),
}

impl From<DbErr> for Stop {
    fn from(error: DbErr) -> Self {
        Self::Db(error)
    }
}

impl Stop {
    /// What the database says to a statement of a migration.
    fn of(stage: Stage<'_>, error: DbErr, statement: Option<&str>) -> Self {
        match sqlstate(&error).as_deref() {
            None => Self::Db(error),
            Some(ENDED) if Instant::now() >= stage.until => Self::TimeIsUp,
            Some(_) => Self::Refused(error, statement.map(str::to_owned)),
        }
    }
}

/// Takes a clone along a way, and compares what it looks like at the end with what it should.
pub(super) async fn take(
    stage: Stage<'_>,
    course: &Course,
    path: &Path,
    target: &str,
) -> Result<Taken, DbErr> {
    let mut taken = Taken::default();
    let begun = Instant::now();
    for segment in &path.segments {
        let went = match &segment.work {
            Work::Message(statements) => {
                let said = statements.iter().chain(&segment.ledger);
                message(stage, said.map(String::as_str), &mut taken).await
            }
            Work::Index { name, statement } => index(stage, name, statement).await,
            Work::Fill { statement } => fill(stage, statement).await,
        };
        let went = match (went, &segment.work) {
            // Beside an index and rows that are filled, the history is a message of its own.
            (Ok(()), Work::Index { .. } | Work::Fill { .. }) => {
                let said = segment.ledger.iter().map(String::as_str);
                message(stage, said, &mut taken).await
            }
            (went, _) => went,
        };
        match went {
            Ok(()) => {}
            Err(Stop::Db(error)) => return Err(error),
            Err(Stop::TimeIsUp) => {
                taken.is_cut = true;
                return Ok(taken);
            }
            Err(Stop::Refused(error, statement)) => {
                taken.error = Some(explain(&error, statement));
                break;
            }
        }
    }
    if taken.error.is_none() {
        taken.error = proof(stage, course, target).await?;
    }
    taken.duration = begun.elapsed();
    Ok(taken)
}

/// As a run has them, but no statement runs longer than the time that is left.
fn limits(stage: Stage<'_>) -> Result<Limits, Stop> {
    let left = stage.until.saturating_duration_since(Instant::now());
    if left < Duration::from_millis(1) {
        return Err(Stop::TimeIsUp);
    }
    let usual = RunOptions::default();
    Ok(Limits {
        lock_timeout: LIMITS.lock_timeout,
        statement_timeout: left.min(Duration::from_millis(usual.statement_timeout_ms.into())),
        silence: Some(SILENCE),
    })
}

/// One message in one transaction. Its statements are said one after the other, so that it is
/// known when the first lock is there that requests wait for.
async fn message(
    stage: Stage<'_>,
    statements: impl Iterator<Item = &str> + Send,
    taken: &mut Taken,
) -> Result<(), Stop> {
    let limits = limits(stage)?;
    let tx = begin(stage.node, limits).await?;
    let mut watch = Watch::default();
    let outcome = say(&tx, stage, statements, &mut watch).await;
    let was_well = outcome.is_ok();
    let outcome = match finish(tx, outcome).await {
        Err(Stop::Db(error)) if was_well => Err(Stop::of(stage, error, None)),
        other => other,
    };
    if let Some(since) = watch.since {
        taken.locking_messages += 1;
        taken.locked += since.elapsed();
        taken.relations.extend(watch.relations);
    }
    outcome
}

#[derive(Debug, Default)]
struct Watch {
    /// When the first statement began that took such a lock.
    since: Option<Instant>,
    relations: Vec<String>,
}

async fn say(
    tx: &DatabaseTransaction,
    stage: Stage<'_>,
    statements: impl Iterator<Item = &str> + Send,
    watch: &mut Watch,
) -> Result<(), Stop> {
    act_as_owner(tx).await?;
    enter(tx, stage.schema).await?;
    let there = relations(tx, stage.schema).await?;
    for statement in statements {
        let begun = Instant::now();
        let said = tx.execute_unprepared(statement).await;
        said.map_err(|error| Stop::of(stage, error, Some(statement)))?;
        if watch.since.is_none() && !locked(tx, &there).await?.is_empty() {
            watch.since = Some(begun);
        }
    }
    if watch.since.is_some() {
        watch.relations = locked(tx, &there).await?;
    }
    Ok(())
}

/// Tables and indexes that are there before a message: nobody waits for those that it makes.
async fn relations(tx: &DatabaseTransaction, schema: &SchemaName) -> Result<Vec<i64>, DbErr> {
    column(
        tx,
        "SELECT d.objid::bigint FROM pg_catalog.pg_depend d
         WHERE d.classid = 'pg_catalog.pg_class'::regclass
             AND d.refclassid = 'pg_catalog.pg_namespace'::regclass
             AND d.refobjid = to_regnamespace($1)::oid",
        [schema.as_str().into()],
    )
    .await
}

/// Those of them that we hold so that a reader or a writer has to wait.
async fn locked(tx: &DatabaseTransaction, there: &[i64]) -> Result<Vec<String>, DbErr> {
    column(
        tx,
        "SELECT DISTINCT c.relname::text FROM pg_catalog.pg_locks l
         JOIN pg_catalog.pg_class c ON c.oid = l.relation
         WHERE l.pid = pg_backend_pid() AND l.granted AND l.locktype = 'relation'
             AND l.mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock',
                 'AccessExclusiveLock')
             AND l.relation::bigint = ANY ($1::bigint[])
         ORDER BY 1",
        [there.to_vec().into()],
    )
    .await
}

async fn index(stage: Stage<'_>, name: &str, statement: &str) -> Result<(), Stop> {
    let limits = limits(stage)?;
    #[expect(
        clippy::disallowed_methods,
        reason = "it leaves the pool at once, and whatever is set on it ends with it"
    )]
    let connection = stage.node.get_postgres_connection_pool().acquire().await;
    let trouble = |error| DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error)));
    let mut connection = connection.map_err(trouble)?.detach();
    let built = build(&mut connection, limits, name, statement, stage.schema).await;
    // What is set on this session ends with it.
    let _ = connection.close().await;
    match built {
        Ok(()) => Ok(()),
        Err(Cut::Db(error)) => Err(Stop::of(stage, error, Some(statement))),
        Err(Cut::Lost) => Err(Stop::Db(DbErr::Custom(
            "somebody else builds an index in the clone".to_owned(),
        ))),
    }
}

async fn fill(stage: Stage<'_>, statement: &str) -> Result<(), Stop> {
    let rows = RunOptions::default().batch_rows;
    loop {
        let limits = limits(stage)?;
        let tx = begin(stage.node, limits).await?;
        let outcome = async {
            act_as_owner(&tx).await?;
            batch(&tx, stage.schema, statement, rows).await
        };
        let outcome = outcome.await;
        let filled = finish(tx, outcome).await;
        let filled = filled.map_err(|error| Stop::of(stage, error, Some(statement)))?;
        if filled == 0 {
            return Ok(());
        }
    }
}

/// What a run would say of a schema that does not look as it should.
async fn proof(stage: Stage<'_>, course: &Course, target: &str) -> Result<Option<Value>, DbErr> {
    let Some(reference) = course.reference(target) else {
        return Ok(None);
    };
    let tx = begin(stage.node, LIMITS).await?;
    let outcome = async {
        let mark = fingerprint::mark(&tx, stage.schema).await?;
        if mark.is_some_and(|mark| reference.knows(mark)) {
            return Ok(None);
        }
        let shape = fingerprint::shape(&tx, stage.schema).await?;
        let difference = reference.compare(&shape, mark);
        Ok::<_, DbErr>(difference.as_ref().map(explain_difference))
    };
    let outcome = outcome.await;
    finish(tx, outcome).await
}
