//! Whether every road leads to the same place: tenants that stood at each version, with rows, taken
//! to head the way a run takes them, look like a new one.

use std::collections::HashSet;
use std::sync::Arc;

use sea_orm::{ConnectionTrait as _, DatabaseConnection, DatabaseTransaction, DbErr};
use sea_orm_migration::{MigratorTraitSelf as _, SchemaManager};
use sqlx::Connection as _;

use super::error::CheckError;
use super::scratch::{Scratch, connect};
use super::walk::{LIMITS, new_schema, tell};
use super::{CheckOptions, Code, Finding, Report, rows};
use crate::create::hide_history;
use crate::fingerprint;
use crate::fleet::{Course, Cut, Path, Traffic, Work, batch, build};
use crate::transaction::{begin, enter, finish};
use crate::{Product, SchemaName, db_error};

/// Where it isn't known at which versions tenants stand: at one of so many before head.
const LAST_VERSIONS: usize = 12;

/// Rows of one batch of a back-fill.
const BATCH: u32 = 100;

/// Takes the roads, from versions that are `live` in the fleet or else from the last ones. Answers
/// with how many there were.
pub(super) async fn travel<P: Product>(
    scratch: &Scratch,
    product: &Arc<P>,
    course: &Course,
    live: Option<&HashSet<String>>,
    options: &CheckOptions,
    report: &mut Report,
) -> Result<u64, CheckError> {
    let head = course.steps.len().saturating_sub(1);
    let is_begun_at = |place: &usize| match live {
        Some(live) => live.contains(&course.steps[*place].name),
        None => place + LAST_VERSIONS >= head,
    };
    let mut roads = 0;
    for place in (0..head).filter(is_begun_at) {
        for traffic in [Traffic::Live, Traffic::None] {
            let road = Road {
                scratch,
                course,
                options,
                place,
                traffic,
            };
            roads += 1;
            report.findings.extend(road.take(product).await?);
        }
    }
    Ok(roads)
}

struct Road<'a> {
    scratch: &'a Scratch,
    course: &'a Course,
    options: &'a CheckOptions,
    place: usize,
    traffic: Traffic,
}

/// Why a road could not be gone.
enum Block {
    /// At this version, by this statement.
    At(String, String, DbErr),
    /// The scratch database itself failed.
    Db(DbErr),
    /// It can't be reached.
    Lost(CheckError),
}

impl From<DbErr> for Block {
    fn from(error: DbErr) -> Self {
        Self::Db(error)
    }
}

impl Road<'_> {
    fn from(&self) -> &str {
        &self.course.steps[self.place].name
    }

    fn who(&self) -> &'static str {
        match self.traffic {
            Traffic::Live => "a tenant",
            Traffic::None => "a spare",
        }
    }

    async fn take<P: Product>(&self, product: &Arc<P>) -> Result<Option<Finding>, CheckError> {
        let scratch = self.scratch;
        let trouble = |error| scratch.trouble(error);
        let schema = new_schema(scratch).await?;
        self.prepare(product, &schema).await.map_err(trouble)?;
        let head = &self.course.steps[self.course.steps.len() - 1].name;
        let path = Path::forth(self.course, self.from(), head, self.traffic);
        let path = match path {
            Ok(path) => path,
            Err(error) => {
                let message = format!("{} at {}: {error}", self.who(), self.from());
                return Ok(Some(
                    Finding::new(Code::RoadBlocked, message).of(self.from()),
                ));
            }
        };
        match self.go(&schema, &path).await {
            Ok(()) => {}
            Err(Block::Db(error)) => return Err(trouble(error)),
            Err(Block::Lost(error)) => return Err(error),
            Err(Block::At(version, statement, error)) => {
                let words = db_error::describe(&error);
                let message = format!(
                    "{} that stands at {} stops: {words}",
                    self.who(),
                    self.from()
                );
                let finding = Finding::new(Code::RoadBlocked, message);
                return Ok(Some(finding.of(&version).by(&statement)));
            }
        }
        let looked = async {
            let tx = begin(&scratch.db, LIMITS).await?;
            let shape = fingerprint::shape(&tx, &schema).await;
            finish(tx, shape).await
        };
        let is = looked.await.map_err(trouble)?;
        let Some(should) = self.course.reference(head) else {
            return Ok(None);
        };
        Ok(is.difference(should.shape()).map(|difference| {
            let message = format!(
                "{} that stood at {} differs from a new one: {}",
                self.who(),
                self.from(),
                tell(&difference)
            );
            Finding::new(Code::RoadsDiffer, message).of(head)
        }))
    }

    /// A schema at the road's beginning, with rows and with a history.
    async fn prepare<P: Product>(
        &self,
        product: &Arc<P>,
        schema: &SchemaName,
    ) -> Result<(), DbErr> {
        let tx = begin(&self.scratch.db, LIMITS).await?;
        let outcome = self.climb(&tx, product, schema).await;
        finish(tx, outcome).await
    }

    async fn climb<P: Product>(
        &self,
        tx: &DatabaseTransaction,
        product: &Arc<P>,
        schema: &SchemaName,
    ) -> Result<(), DbErr> {
        let migrator = product.migrator();
        let manager = SchemaManager::new(tx);
        for migration in migrator.migrations().iter().take(self.place + 1) {
            enter(tx, schema).await?;
            migration.up(&manager).await?;
        }
        enter(tx, schema).await?;
        rows::fill(tx, schema, self.options.rows, self.options.seed).await?;
        // After the rows, which would fill it as well.
        migrator.install(tx).await?;
        hide_history(tx, migrator, schema).await
    }

    /// The way to head, as a run takes it.
    async fn go(&self, schema: &SchemaName, path: &Path) -> Result<(), Block> {
        let db = &self.scratch.db;
        for segment in &path.segments {
            let stopped = |statement: &str, error: DbErr| match &error {
                DbErr::Custom(_) => Block::At(segment.to.clone(), statement.to_owned(), error),
                _ if db_error::sqlstate(&error).is_some() => {
                    Block::At(segment.to.clone(), statement.to_owned(), error)
                }
                _ => Block::Db(error),
            };
            match &segment.work {
                Work::Message(_) => {}
                Work::Index { name, statement } => {
                    let mut connection =
                        connect(&self.scratch.options).await.map_err(Block::Lost)?;
                    let built = build(&mut connection, LIMITS, name, statement, schema).await;
                    // What is set on this session ends with it.
                    let _ = connection.close().await;
                    match built {
                        Err(Cut::Db(error)) => return Err(stopped(statement, error)),
                        // Nobody else is here who could be at it.
                        Err(Cut::Lost) | Ok(()) => {}
                    }
                }
                Work::Fill { statement } => {
                    // Each that changes anything changes a row at least.
                    let most = 2 * self.options.rows + 100;
                    fill(db, schema, statement, most)
                        .await
                        .map_err(|error| stopped(statement, error))?;
                }
            }
            let tx = begin(db, LIMITS).await?;
            let message = segment.message(std::slice::from_ref(schema));
            let sent = tx.execute_unprepared(&message).await.map(drop);
            finish(tx, sent)
                .await
                .map_err(|error| stopped(&message, error))?;
        }
        Ok(())
    }
}

/// Batch by batch, until none is left.
async fn fill(
    db: &DatabaseConnection,
    schema: &SchemaName,
    statement: &str,
    most: usize,
) -> Result<(), DbErr> {
    for _ in 0..most {
        let tx = begin(db, LIMITS).await?;
        let changed = batch(&tx, schema, statement, BATCH).await;
        if finish(tx, changed).await? == 0 {
            return Ok(());
        }
    }
    let words = format!("{most} batches did not come to an end");
    Err(DbErr::Custom(words))
}
