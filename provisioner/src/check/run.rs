//! A check from its beginning to its end: parts in their order, on one scratch database.

use std::collections::BTreeSet;
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
use crate::{Product, Provisioner};

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
    let checked = check_on(&scratch, &product, platform, fleet, options, first).await;
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

async fn check_on<P: Product, M: MigratorTraitSelf + 'static>(
    scratch: &Scratch,
    product: &Arc<P>,
    platform: &M,
    fleet: Option<&Provisioner<P>>,
    options: &CheckOptions,
    first: usize,
) -> Result<Report, CheckError> {
    let mut report = Report::default();
    scratch.lay_ground(platform).await?;
    let begun = Instant::now();
    let is_watching = WALKED.iter().any(|part| options.wants(*part));
    let first = match is_watching {
        true => first,
        // The other parts only need a schema at head.
        false => usize::MAX,
    };
    let walked = walk(scratch, product, options, first, &mut report).await?;
    let mut took = elapsed_ms(begun);
    for part in WALKED {
        if options.wants(part) {
            report.parts.push(PartReport {
                part,
                duration_ms: std::mem::take(&mut took),
                examined: report.migrations.len() as u64,
                skipped: walked.stopped.clone(),
            });
        }
    }
    let blocked = walked
        .stopped
        .as_ref()
        .map(|_| "a migration fails".to_owned());
    let needs_course = options.wants(Part::Roads) || options.wants(Part::Fleet);
    let course = match (needs_course, &blocked) {
        (true, None) => {
            let looks = product.migrator().migrations();
            let looks = looks.iter().map(|one| one.name().to_owned()).collect();
            let course = Course::record(&scratch.db, &**product, Extent::Forth, &looks).await;
            Some(course)
        }
        _ => None,
    };
    let live = match fleet {
        Some(fleet) if course.is_some() => {
            let live = super::fleet::versions(fleet).await;
            Some(live.map_err(CheckError::Fleet)?)
        }
        _ => None,
    };
    for part in [Part::Roads, Part::Entities, Part::Fleet] {
        if !options.wants(part) {
            continue;
        }
        let begun = Instant::now();
        let looked = match (part, &course, fleet) {
            (Part::Entities, _, _) if blocked.is_none() => {
                Ok(compare_entities(scratch, &**product, &walked.schema, &mut report).await?)
            }
            (Part::Roads, Some(Ok(course)), _) => Ok(travel(
                scratch,
                product,
                course,
                live.as_ref(),
                options,
                &mut report,
            )
            .await?),
            (Part::Fleet, Some(Ok(course)), Some(fleet)) => {
                Ok(look_at(fleet, course, &mut report).await?)
            }
            (Part::Fleet, _, None) => Err("no fleet was named".to_owned()),
            (_, Some(Err(error)), _) => Err(format!("the migrations can't be recorded: {error}")),
            _ => Err(blocked.clone().unwrap_or_default()),
        };
        report.parts.push(PartReport {
            part,
            duration_ms: elapsed_ms(begun),
            examined: *looked.as_ref().unwrap_or(&0),
            skipped: looked.err(),
        });
    }
    Ok(report)
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
