//! Reads a file and tells what it would do. The comparison can't write: the database holds it to that.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use time::OffsetDateTime;
use uuid::Uuid;

use super::batch::{self, Batch};
use super::claims::Claims;
use super::compare::compare;
use super::error::ImportError;
use super::items;
use super::journal;
use super::load::{Catalogue, PlacedBatch};
use super::model::{Finding, Kind, Missing, SAMPLES, Sample, Status, Summary};
use super::notice;
use super::rows::{self, BARCODE_TAKEN, NewRow};
use super::store::{Import, Turn};
use super::work::{Desk, Halt, plan_of, turn};

/// Findings that wait to be written together.
const FINDINGS: usize = 2000;
/// How often it is told how far an import has come.
const TELL: Duration = Duration::from_secs(1);

/// Article numbers of a file, as keyed hashes. Two that meet by chance keep an item that the file
/// leaves out from being retired, once in millions of files.
#[derive(Debug, Default)]
pub(super) struct Present {
    hasher: RandomState,
    skus: HashSet<u64>,
}

impl Present {
    pub(super) fn add(&mut self, batch: &Batch) {
        for sku in batch.skus() {
            self.skus.insert(self.hasher.hash_one(sku));
        }
    }

    pub(super) fn has(&self, sku: &str) -> bool {
        self.skus.contains(&self.hasher.hash_one(sku))
    }
}

/// The profile whose other items are to be retired, if that was asked for.
pub(super) fn retiring(import: &Import) -> Option<Uuid> {
    let profile = import.row.profile_id?;
    (import.options.missing == Missing::Retire).then_some(profile)
}

struct Reading<'a> {
    import: &'a Import,
    catalogue: Catalogue,
    claims: Claims,
    present: Present,
    summary: Summary,
    /// Rows that wait to be told of.
    waiting: Vec<NewRow>,
    done: i64,
    /// When it was told last how far it has come.
    told_at: Option<Instant>,
}

/// Reads a file from its beginning, whatever was read of it before.
pub(super) async fn read(desk: &mut Desk<'_>, import: &Import) -> Result<(), Halt> {
    let db = desk.task.db()?.clone();
    let id = import.row.id;
    let currency = db.read(async |tx| items::currency(tx).await).await?;
    let (survey, file) = desk.survey(import, currency.clone()).await?;
    let (plan, now) = (plan_of(&survey, currency), desk.state.clock.now());
    let total = i64::try_from(survey.row_count()).ok();
    let at = (&[Status::Uploaded, Status::Reading][..], Status::Reading);
    desk.task
        .step(async |tx| {
            rows::clear(tx, id).await?;
            let how = Turn {
                plan: Some(&plan),
                summary: Some(&Summary::default()),
                rows_total: total,
                rows_done: Some(0),
                ..Turn::default()
            };
            turn(tx, id, at, how, now).await
        })
        .await?;
    let mut import = import.clone();
    import.row.rows_total = total;
    let catalogue = db
        .read(async |tx| Catalogue::of(tx, &plan.mapping).await)
        .await?;
    let mut reading = Reading {
        import: &import,
        catalogue,
        claims: Claims::default(),
        present: Present::default(),
        summary: Summary::default(),
        waiting: Vec::new(),
        done: 0,
        told_at: None,
    };
    let again = file.try_clone().map_err(super::pricefile::FileError::Io);
    let mut batches = batch::read(survey.clone(), again.map_err(ImportError::File)?, 0);
    while let Some(batch) = batches.recv().await {
        desk.go_on()?;
        reading
            .take(desk, batch.map_err(ImportError::File)?)
            .await?;
    }
    reading.leave_out(desk).await?;
    reading.end(desk, now).await?;
    desk.keep(survey, file);
    Ok(())
}

impl Reading<'_> {
    async fn take(&mut self, desk: &Desk<'_>, batch: Batch) -> Result<(), Halt> {
        if retiring(self.import).is_some() {
            self.present.add(&batch);
        }
        self.done += i64::try_from(batch.len()).unwrap_or_default();
        let rows = self.tell(batch);
        let placed = self.catalogue.place(rows);
        self.warn(&placed.cut);
        self.compare(desk, &placed).await?;
        let is_told = is_due(self.told_at);
        if self.waiting.len() >= FINDINGS || is_told {
            self.write(desk, is_told).await?;
        }
        Ok(())
    }

    /// Counts and notes what isn't taken. Answers with what is.
    fn tell(&mut self, batch: Batch) -> Vec<super::pricefile::PriceRow> {
        let counts = &mut self.summary.counts;
        counts.rows += batch.len() as u64;
        counts.rejected += batch.rejected.len() as u64;
        counts.superseded += batch.superseded.len() as u64;
        counts.skipped += batch.skipped;
        for told in batch.rejected {
            let row = NewRow::told(Kind::Rejected, told);
            if self.summary.samples.rejected.len() < SAMPLES {
                self.summary.samples.rejected.push(row.finding.clone());
            }
            self.waiting.push(row);
        }
        let superseded = batch.superseded.into_iter();
        self.waiting
            .extend(superseded.map(|told| NewRow::told(Kind::Superseded, told)));
        batch.rows
    }

    async fn compare(&mut self, desk: &Desk<'_>, placed: &PlacedBatch) -> Result<(), Halt> {
        let (rows, summary) = (&placed.rows, &mut self.summary);
        summary.groups_created += placed.groups.len() as u64;
        let units = placed.units.iter().map(|unit| unit.code.clone());
        summary.units_created.extend(units);
        if rows.is_empty() {
            return Ok(());
        }
        let has_description = self.catalogue.has_description();
        let percent = self.import.options.price_change_percent;
        let has_barcodes = rows.iter().any(|placed| !placed.row.barcodes.is_empty());
        let tx = desk.task.db()?.begin_read_only().await?;
        let compared = compare(&tx, rows, has_description, percent).await?;
        let count = |number: i64| u64::try_from(number).unwrap_or_default();
        summary.counts.created += count(compared.created);
        summary.counts.updated += count(compared.updated);
        summary.counts.unchanged += count(compared.unchanged);
        summary.counts.price_changes += count(compared.price_changes);
        summary.samples.merge(compared.samples);
        if !has_barcodes {
            return Ok(());
        }
        let owners = items::owners_of_barcodes(&tx, rows).await?;
        let (gaining, taken) = self.claims.take(&owners, rows);
        let touched = items::unchanged_among(&tx, rows, has_description, gaining).await?;
        summary.counts.updated += count(touched);
        summary.counts.unchanged -= count(touched);
        self.warn(&barcodes_taken(taken));
        Ok(())
    }

    fn warn(&mut self, findings: &[Finding]) {
        self.summary.counts.warnings += findings.len() as u64;
        let rows = findings.iter().cloned().map(NewRow::warning);
        self.waiting.extend(rows);
    }

    /// Finds the items that came with this profile and that the file leaves out.
    async fn leave_out(&mut self, desk: &Desk<'_>) -> Result<(), Halt> {
        let Some(profile) = retiring(self.import) else {
            return Ok(());
        };
        let mut after = Uuid::nil();
        loop {
            desk.go_on()?;
            let db = desk.task.db()?;
            let sources = db
                .read(async |tx| journal::sources(tx, profile, after).await)
                .await?;
            let Some(last) = sources.last() else {
                return Ok(());
            };
            after = last.id;
            let missing = sources.iter().filter(|item| !self.present.has(&item.sku));
            for item in missing {
                self.summary.counts.retired += 1;
                if self.summary.samples.retired.len() < SAMPLES {
                    self.summary.samples.retired.push(Sample::from(item));
                }
            }
        }
    }

    /// Writes what waits, and how far it has come.
    async fn write(&mut self, desk: &Desk<'_>, is_told: bool) -> Result<(), Halt> {
        let (id, now) = (self.import.row.id, desk.state.clock.now());
        let before = self.summary.findings;
        self.summary.findings += i64::try_from(self.waiting.len()).unwrap_or_default();
        let this = &*self;
        desk.task
            .step(async |tx| {
                rows::add(tx, id, before, &this.waiting).await?;
                let how = Turn {
                    summary: Some(&this.summary),
                    rows_done: Some(this.done),
                    ..Turn::default()
                };
                turn(tx, id, (&[Status::Reading], Status::Reading), how, now).await?;
                if is_told {
                    let done = u64::try_from(this.done).unwrap_or_default();
                    notice::progress(tx, this.import, (Status::Reading, done), now).await?;
                }
                Ok::<_, Halt>(())
            })
            .await?;
        self.waiting.clear();
        if is_told {
            self.told_at = Some(Instant::now());
        }
        Ok(())
    }

    /// It is known what the file would do; it is applied at once, if that was asked for and may be.
    async fn end(&mut self, desk: &Desk<'_>, now: OffsetDateTime) -> Result<(), Halt> {
        self.write(desk, false).await?;
        let (id, options) = (self.import.row.id, &self.import.options);
        let rejected = self.summary.counts.rejected;
        let is_refused = options.apply && options.refuses(rejected);
        let to = match (options.apply, is_refused) {
            (_, true) => return Err(ImportError::TooManyRejected(rejected).into()),
            (true, false) => Status::Queued,
            (false, false) => Status::Ready,
        };
        desk.task
            .step(async |tx| {
                turn(tx, id, (&[Status::Reading], to), Turn::default(), now).await?;
                let ready = super::store::find(tx, id).await?;
                notice::status(tx, &ready, now).await?;
                Ok::<_, Halt>(())
            })
            .await
    }
}

/// Whether it is time to tell how far it has come; the beginning is told at once.
pub(super) fn is_due(told_at: Option<Instant>) -> bool {
    told_at.is_none_or(|at| at.elapsed() >= TELL)
}

/// Tells of barcodes that others have.
pub(super) fn barcodes_taken(taken: Vec<items::TakenBarcode>) -> Vec<Finding> {
    let told = |taken: items::TakenBarcode| Finding {
        line: taken.line,
        column: None,
        hint: format!(
            "{} has this barcode already; the row was taken without it",
            taken.holder
        ),
        value: taken.barcode,
        code: BARCODE_TAKEN.to_owned(),
    };
    taken.into_iter().map(told).collect()
}
