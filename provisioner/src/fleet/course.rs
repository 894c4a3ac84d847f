//! All migrations of a product, taken once on a schema that is thrown away: what each of them
//! says, and what a schema looks like after it. Every node has its own, since what catalogues hold
//! (numbers of types and functions) is a node's own.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sea_orm::{ConnectionTrait as _, DatabaseConnection, DatabaseTransaction, DbErr};
use sea_orm_migration::MigratorTraitSelf as _;

use super::RunError;
use super::recorder::{Direction, Recorder, Recording};
use super::start::SILENCE;
use crate::create::{hide_history, make_schema};
use crate::fingerprint::{self, Difference, Mark, Shape};
use crate::transaction::{Limits, act_as_owner, begin, enter};
use crate::{Declared, Product, SchemaName};

const LIMITS: Limits = Limits {
    lock_timeout: Duration::from_secs(30),
    statement_timeout: Duration::from_secs(600),
    silence: Some(SILENCE),
};

/// Whether it must be known how to go back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Only forwards.
    Forth,
    /// Both ways.
    BackToo,
}

/// A product's migrations, oldest first.
#[derive(Debug)]
pub(crate) struct Course {
    pub(crate) steps: Vec<Step>,
    pub(crate) ledger: String,
}

/// One migration.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) name: String,
    pub(crate) declared: Declared,
    pub(crate) up: Recording,
    /// Why there is no way back is said where somebody wants to go it.
    pub(crate) down: Result<Recording, String>,
    /// A schema that stands here, if anybody wanted to know.
    pub(crate) reference: Option<Reference>,
}

/// What a schema of a version looks like.
#[derive(Debug)]
pub(crate) struct Reference {
    shape: Shape,
    /// Marks of schemas that were found to have this shape: the reference's own, and those of
    /// tenants with another history that leads to the same.
    marks: Mutex<HashSet<Mark>>,
}

impl Reference {
    async fn of(tx: &DatabaseTransaction, schema: &SchemaName) -> Result<Self, DbErr> {
        let mark = fingerprint::mark(tx, schema).await?;
        Ok(Self {
            shape: fingerprint::shape(tx, schema).await?,
            marks: Mutex::new(mark.into_iter().collect()),
        })
    }

    /// Its structure, object by object.
    pub(crate) fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Whether a schema with this mark is known to be as it should.
    pub(crate) fn knows(&self, mark: Mark) -> bool {
        let marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        marks.contains(&mark)
    }

    /// Compares a schema object by object, and remembers the mark of one that is as it should.
    pub(crate) fn compare(&self, is: &Shape, mark: Option<Mark>) -> Option<Difference> {
        let difference = is.difference(&self.shape);
        if difference.is_none() {
            let mut marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
            marks.extend(mark);
        }
        difference
    }
}

impl Course {
    /// Takes all steps of a product on a node, and undoes them. What schemas look like is only
    /// asked at the versions in `looks` (and at all, where there is to be a way back): it costs
    /// about as much as a migration.
    pub(crate) async fn record<P: Product>(
        node: &DatabaseConnection,
        product: &P,
        extent: Extent,
        looks: &HashSet<String>,
    ) -> Result<Self, RunError> {
        let tx = Arc::new(begin(node, LIMITS).await?);
        let outcome = record_in(&tx, product, extent, looks).await;
        match Arc::try_unwrap(tx) {
            Ok(tx) => tx.rollback().await?,
            // Unreachable while `record_in` keeps no recorder; dropping it rolls back as well.
            Err(shared) => drop(shared),
        }
        outcome
    }

    /// Where a version stands among the steps.
    pub(crate) fn position(&self, version: &str) -> Option<usize> {
        self.steps.iter().position(|step| step.name == version)
    }

    /// What schemas look like, at each version that anybody wanted to know.
    pub(crate) fn references(&self) -> BTreeMap<String, Shape> {
        let known = self.steps.iter().filter_map(|step| {
            let reference = step.reference.as_ref()?;
            Some((step.name.clone(), reference.shape.clone()))
        });
        known.collect()
    }

    /// What a schema of a version looks like.
    pub(crate) fn reference(&self, version: &str) -> Option<&Reference> {
        let position = self.position(version)?;
        self.steps[position].reference.as_ref()
    }
}

async fn record_in<P: Product>(
    tx: &Arc<DatabaseTransaction>,
    product: &P,
    extent: Extent,
    looks: &HashSet<String>,
) -> Result<Course, RunError> {
    let migrator = product.migrator();
    let schema = SchemaName::generate()?;
    act_as_owner(tx).await?;
    make_schema(tx, &schema).await?;
    migrator.install(&**tx).await?;
    hide_history(tx, migrator, &schema).await?;
    let recorder = Recorder::new(Arc::clone(tx))?;
    let migrations = migrator.migrations();
    let mut steps = Vec::with_capacity(migrations.len());
    for migration in &migrations {
        let name = migration.name().to_owned();
        let declared = product
            .declared(&name)
            .ok_or_else(|| RunError::Undeclared(name.clone()))?;
        let failed = |cause| RunError::Broken {
            migration: name.clone(),
            cause,
        };
        enter(tx, &schema).await?;
        let up = recorder
            .run(migration.as_ref(), Direction::Up)
            .await
            .map_err(failed)?;
        let is_wanted = extent == Extent::BackToo || looks.contains(&name);
        let reference = match is_wanted {
            true => Some(look(tx, &schema).await?),
            false => None,
        };
        steps.push(Step {
            down: Err("nobody has looked".to_owned()),
            reference,
            name,
            declared,
            up,
        });
    }
    if extent == Extent::BackToo {
        for (position, migration) in migrations.iter().enumerate().rev() {
            enter(tx, &schema).await?;
            tx.execute_unprepared("SAVEPOINT back").await?;
            let down = match recorder.run(migration.as_ref(), Direction::Down).await {
                Ok(down) => compare_back(tx, &schema, &steps, position, down).await?,
                Err(error) => Err(crate::db_error::describe(&error)),
            };
            let is_passable = down.is_ok();
            steps[position].down = down;
            if !is_passable {
                // What lies below can't be reached from here.
                break;
            }
        }
    }
    drop(recorder);
    Ok(Course {
        steps,
        ledger: migrator.migration_table_name().to_string(),
    })
}

/// A step back is one only if it ends where the step before it ended.
async fn compare_back(
    tx: &DatabaseTransaction,
    schema: &SchemaName,
    steps: &[Step],
    position: usize,
    down: Recording,
) -> Result<Result<Recording, String>, DbErr> {
    let before = position.checked_sub(1);
    let before = before.and_then(|before| steps[before].reference.as_ref());
    let Some(before) = before else {
        return Ok(Err("it is the first".to_owned()));
    };
    tx.execute_unprepared("SET LOCAL search_path = pg_catalog, pg_temp")
        .await?;
    let shape = fingerprint::shape(tx, schema).await?;
    let mark = fingerprint::mark(tx, schema).await?;
    Ok(match before.compare(&shape, mark) {
        None => Ok(down),
        Some(difference) => Err(format!(
            "its way back leaves traces: {}",
            difference.to_json()
        )),
    })
}

async fn look(tx: &DatabaseTransaction, schema: &SchemaName) -> Result<Reference, DbErr> {
    // Everything that isn't Postgres' own is then spelled with its schema.
    tx.execute_unprepared("SET LOCAL search_path = pg_catalog, pg_temp")
        .await?;
    Reference::of(tx, schema).await
}
