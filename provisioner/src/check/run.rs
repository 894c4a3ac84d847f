//! A check from its beginning to its end: parts in their order, on one scratch database.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sea_orm_migration::MigratorTraitSelf;

use super::entities::compare_entities;
use super::error::CheckError;
use super::roads::travel;
use super::scratch::{Scratch, ScratchAt};
use super::waiver::waive;
use super::walk::walk;
use super::{Part, PartReport, Report};
use crate::fleet::{Course, Extent};
use crate::{Product, Provisioner, SchemaName};

/// Parts that one walk over all migrations serves.
const WALKED: [Part; 3] = [Part::Lint, Part::Reversible, Part::Kind];

/// What to check, and how.
#[derive(Clone, Debug)]
pub struct CheckOptions {
    /// Parts to run.
    pub parts: BTreeSet<Part>,
    /// Only migrations after this one are watched.
    pub since: Option<String>,
    /// How long one migration may take.
    pub timeout: Duration,
    /// How many rows each table of the copy holds.
    pub rows: usize,
    /// What rows are made from: the same number makes the same rows.
    pub seed: u64,
}

impl Default for CheckOptions {
    /// All parts but the fleet's, all migrations, a minute for each, 50 rows in each table.
    fn default() -> Self {
        let parts = Part::ALL.into_iter();
        Self {
            parts: parts.filter(|part| *part != Part::Fleet).collect(),
            since: None,
            timeout: Duration::from_secs(60),
            rows: 50,
            seed: 1,
        }
    }
}

impl CheckOptions {
    pub(super) fn wants(&self, part: Part) -> bool {
        self.parts.contains(&part)
    }
}

/// Checks a product's migrations and entities, and, where `fleet` is given, that its tenants look
/// like their versions. The fleet is only read.
///
/// # Errors
///
/// [`CheckError`] when the check could not run; what is wrong with migrations is in the report.
pub async fn check<P: Product, M: MigratorTraitSelf + 'static>(
    product: P,
    platform: &M,
    at: &ScratchAt,
    fleet: Option<&Provisioner<P>>,
    options: &CheckOptions,
) -> Result<Report, CheckError> {
    let product = Arc::new(product);
    let first = first_of(&*product, options)?;
    let scratch = Scratch::open(at).await?;
    let checkup = Checkup {
        scratch: &scratch,
        product: &product,
        fleet,
        options,
    };
    let checked = checkup.run(platform, first).await;
    scratch.remove().await;
    let mut report = checked?;
    waive(&*product, options, first, &mut report);
    Ok(report)
}

/// The place of the first migration that is watched.
fn first_of<P: Product>(product: &P, options: &CheckOptions) -> Result<usize, CheckError> {
    let Some(since) = &options.since else {
        return Ok(0);
    };
    let migrations = product.migrator().migrations();
    let place = migrations.iter().position(|one| one.name() == since);
    place
        .map(|place| place + 1)
        .ok_or_else(|| CheckError::UnknownVersion(since.clone()))
}

/// What all parts look at.
struct Checkup<'a, P> {
    scratch: &'a Scratch,
    product: &'a Arc<P>,
    fleet: Option<&'a Provisioner<P>>,
    options: &'a CheckOptions,
}

/// What the first parts leave to the others: a schema at head, and the migrations as a run says them.
struct Legacy {
    schema: SchemaName,
    /// Where tenants stand, if that is known.
    live: Option<HashSet<String>>,
    /// Why there is none is told by whoever needs it.
    course: Result<Course, String>,
    /// Whether the schema is not at head.
    is_stopped: bool,
}

impl<P: Product> Checkup<'_, P> {
    async fn run(
        &self,
        platform: &impl MigratorTraitSelf,
        first: usize,
    ) -> Result<Report, CheckError> {
        let mut report = Report::default();
        self.scratch.lay_ground(platform).await?;
        let legacy = self.walk(first, &mut report).await?;
        for part in [Part::Roads, Part::Entities, Part::Fleet] {
            if self.options.wants(part) {
                let begun = Instant::now();
                let looked = self.look(part, &legacy, &mut report).await?;
                report.parts.push(PartReport {
                    part,
                    duration_ms: elapsed_ms(begun),
                    examined: *looked.as_ref().unwrap_or(&0),
                    skipped: looked.err(),
                });
            }
        }
        Ok(report)
    }

    /// The parts that watch migrations.
    async fn walk(&self, first: usize, report: &mut Report) -> Result<Legacy, CheckError> {
        let begun = Instant::now();
        let first = match WALKED.iter().any(|part| self.options.wants(*part)) {
            true => first,
            // The other parts only need a schema at head.
            false => usize::MAX,
        };
        let walked = walk(self.scratch, self.product, self.options, first, report).await?;
        let mut took = elapsed_ms(begun);
        for part in WALKED.into_iter().filter(|part| self.options.wants(*part)) {
            report.parts.push(PartReport {
                part,
                duration_ms: std::mem::take(&mut took),
                examined: report.migrations.len() as u64,
                skipped: walked.stopped.clone(),
            });
        }
        let is_stopped = walked.stopped.is_some();
        let course = match is_stopped {
            true => Err("a migration fails".to_owned()),
            false => self.record().await,
        };
        let live = match self.fleet {
            Some(fleet) if course.is_ok() => {
                let live = super::fleet::versions(fleet).await;
                Some(live.map_err(CheckError::Fleet)?)
            }
            _ => None,
        };
        Ok(Legacy {
            schema: walked.schema,
            live,
            course,
            is_stopped,
        })
    }

    /// The migrations as a run says them, and what a schema of each version looks like.
    async fn record(&self) -> Result<Course, String> {
        let migrations = self.product.migrator().migrations();
        let looks = migrations.iter().map(|one| one.name().to_owned()).collect();
        let (db, product) = (&self.scratch.db, &**self.product);
        Course::record(db, product, Extent::Forth, &looks)
            .await
            .map_err(|error| format!("the migrations can't be recorded: {error}"))
    }

    /// One of the other parts. Answers with how much it looked at, or why it did not.
    async fn look(
        &self,
        part: Part,
        legacy: &Legacy,
        report: &mut Report,
    ) -> Result<Result<u64, String>, CheckError> {
        let (scratch, product) = (self.scratch, self.product);
        if part == Part::Entities {
            if legacy.is_stopped {
                return Ok(Err("a migration fails".to_owned()));
            }
            let compared = compare_entities(scratch, &**product, &legacy.schema, report).await?;
            return Ok(Ok(compared));
        }
        if part == Part::Fleet && self.fleet.is_none() {
            return Ok(Err("no fleet was named".to_owned()));
        }
        let course = match &legacy.course {
            Ok(course) => course,
            Err(why) => return Ok(Err(why.clone())),
        };
        match self.fleet {
            Some(fleet) if part == Part::Fleet => look_at(fleet, course, report).await.map(Ok),
            _ => {
                let live = legacy.live.as_ref();
                let roads = travel(scratch, product, course, live, self.options, report).await?;
                Ok(Ok(roads))
            }
        }
    }
}

async fn look_at<P: Product>(
    fleet: &Provisioner<P>,
    course: &Course,
    report: &mut Report,
) -> Result<u64, CheckError> {
    let looked = super::fleet::look(fleet, &course.references()).await;
    let (findings, tenants, notes) = looked.map_err(CheckError::Fleet)?;
    report.findings.extend(findings);
    report.notes.extend(notes);
    Ok(tenants)
}

fn elapsed_ms(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
