//! Applies a file that was read: some rows at a time, each time in a transaction that also notes how far
//! it has come and what it did to each item.

use std::time::Instant;

use uuid::Uuid;

use super::batch::{self, Batch};
use super::error::ImportError;
use super::items::{self, Written};
use super::journal;
use super::load::{Catalogue, PlacedBatch};
use super::model::{Counts, Status, Summary};
use super::notice;
use super::reading::{Present, barcodes_taken, is_due, retiring};
use super::rows::{self, NewRow};
use super::store::{Import, Turn};
use super::work::{Desk, Halt, turn};
use crate::audit::Change;
use crate::db::TenantTx;
use crate::events;
use crate::tenant::catalog::groups;
use crate::tenant::catalog::units;
use crate::tenant::notifications::Kind;

/// The phase as it goes from step to step.
const HERE: (&[Status], Status) = (&[Status::Applying], Status::Applying);

struct Applying<'a> {
    import: &'a Import,
    catalogue: Catalogue,
    present: Present,
    summary: Summary,
    done: i64,
    /// When it was told last how far it has come.
    told_at: Option<Instant>,
}

/// Applies a file from its checkpoint on.
pub(super) async fn apply(desk: &mut Desk<'_>, import: &Import) -> Result<(), Halt> {
    let summary = begin(desk, import).await?;
    let plan = import.plan().ok_or(ImportError::GivenUp)?;
    let (survey, file) = desk.survey(import, plan.currency.clone()).await?;
    let catalogue = desk
        .task
        .db()?
        .read(async |tx| Catalogue::of(tx, &plan.mapping).await)
        .await?;
    let mut applying = Applying {
        import,
        catalogue,
        present: Present::default(),
        summary,
        done: 0,
        told_at: None,
    };
    let checkpoint = import.row.checkpoint;
    let mut batches = batch::read(survey, file, checkpoint);
    while let Some(batch) = batches.recv().await {
        desk.go_on()?;
        let batch = batch.map_err(ImportError::File)?;
        if retiring(import).is_some() {
            applying.present.add(&batch);
        }
        applying.done += i64::try_from(batch.len()).unwrap_or_default();
        if batch.end > checkpoint {
            applying.take(desk, batch).await?;
        }
    }
    applying.leave_out(desk).await?;
    applying.end(desk).await
}

/// Takes the dealer's one place for work on items. What was counted while reading is counted anew.
async fn begin(desk: &Desk<'_>, import: &Import) -> Result<Summary, Halt> {
    if import.status == Status::Applying {
        return Ok(import.summary.clone());
    }
    let (id, now) = (import.row.id, desk.state.clock.now());
    desk.task
        .step(async |tx| {
            let forgotten = rows::clear_barcodes(tx, id).await?;
            let counts = &import.summary.counts;
            let summary = Summary {
                counts: Counts {
                    rows: counts.rows,
                    rejected: counts.rejected,
                    superseded: counts.superseded,
                    skipped: counts.skipped,
                    price_changes: counts.price_changes,
                    warnings: counts.warnings.saturating_sub(forgotten),
                    ..Counts::default()
                },
                units_created: Vec::new(),
                groups_created: 0,
                ..import.summary.clone()
            };
            let how = Turn {
                summary: Some(&summary),
                rows_done: Some(0),
                ..Turn::default()
            };
            let at = (&[Status::Queued][..], Status::Applying);
            turn(tx, id, at, how, now).await?;
            Ok(summary)
        })
        .await
}

impl Applying<'_> {
    async fn take(&mut self, desk: &Desk<'_>, batch: Batch) -> Result<(), Halt> {
        let (end, now) = (batch.end, desk.state.clock.now());
        let skus = self.skus_to_note(&batch);
        let placed = self.catalogue.place(batch.rows);
        let is_told = is_due(self.told_at);
        let this = &*self;
        let id = this.import.row.id;
        let summary = desk
            .task
            .step(async |tx| {
                let mut summary = this.summary.clone();
                this.write(tx, &placed, &mut summary, now).await?;
                if let Some(profile) = this.import.row.profile_id {
                    journal::note_sources(tx, profile, skus.clone()).await?;
                }
                let how = Turn {
                    summary: Some(&summary),
                    rows_done: Some(this.done),
                    checkpoint: Some(end),
                    ..Turn::default()
                };
                turn(tx, id, HERE, how, now).await?;
                if is_told {
                    let done = u64::try_from(this.done).unwrap_or_default();
                    notice::progress(tx, this.import, (Status::Applying, done), now).await?;
                }
                Ok::<_, Halt>(summary)
            })
            .await?;
        self.summary = summary;
        if is_told {
            self.told_at = Some(Instant::now());
        }
        Ok(())
    }

    /// The article numbers of good rows, where it counts with whose files they came.
    fn skus_to_note(&self, batch: &Batch) -> Vec<String> {
        match self.import.row.profile_id {
            Some(_) => batch.rows.iter().map(|row| row.sku.clone()).collect(),
            None => Vec::new(),
        }
    }

    async fn write(
        &self,
        tx: &TenantTx,
        placed: &PlacedBatch,
        summary: &mut Summary,
        now: time::OffsetDateTime,
    ) -> Result<(), Halt> {
        units::ensure(tx, &placed.units, now)
            .await
            .map_err(ImportError::from)?;
        groups::add_all(tx, placed.groups.clone(), now).await?;
        summary.groups_created += placed.groups.len() as u64;
        let new_units = placed.units.iter().map(|unit| unit.code.clone());
        summary.units_created.extend(new_units);
        let (rows, id) = (&placed.rows, self.import.row.id);
        if rows.is_empty() {
            return Ok(());
        }
        let has_description = self.catalogue.has_description();
        let written = items::write(tx, id, rows, has_description, now).await?;
        count(&mut summary.counts, written, rows.len())?;
        if rows.iter().all(|placed| placed.row.barcodes.is_empty()) {
            return Ok(());
        }
        let touched = items::add_barcodes(tx, id, rows, now).await?;
        let touched = u64::try_from(touched).unwrap_or_default();
        summary.counts.updated += touched;
        summary.counts.unchanged -= touched;
        let taken = barcodes_taken(items::taken_barcodes(tx, rows).await?);
        summary.counts.warnings += taken.len() as u64;
        let told: Vec<_> = taken.into_iter().map(NewRow::warning).collect();
        rows::add(tx, id, summary.findings, &told).await?;
        summary.findings += i64::try_from(told.len()).unwrap_or_default();
        Ok(())
    }

    /// Retires the items that came with this profile and that the file leaves out.
    async fn leave_out(&mut self, desk: &Desk<'_>) -> Result<(), Halt> {
        let Some(profile) = retiring(self.import) else {
            return Ok(());
        };
        let (id, mut after) = (self.import.row.id, Uuid::nil());
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
            let missing: Vec<_> = missing.map(|item| item.id).collect();
            let (this, now) = (&*self, desk.state.clock.now());
            let summary = desk
                .task
                .step(async |tx| {
                    let mut summary = this.summary.clone();
                    let retired = journal::retire(tx, id, &missing, now).await?;
                    summary.counts.retired += u64::try_from(retired).unwrap_or_default();
                    let how = Turn {
                        summary: Some(&summary),
                        ..Turn::default()
                    };
                    turn(tx, id, HERE, how, now).await?;
                    Ok::<_, Halt>(summary)
                })
                .await?;
            self.summary = summary;
        }
    }

    /// It is in the catalogue: that goes on record, once.
    async fn end(&self, desk: &Desk<'_>) -> Result<(), Halt> {
        let (id, now) = (self.import.row.id, desk.state.clock.now());
        let change = Change::new("import.apply", "import", id).after(&self.summary.counts);
        desk.task
            .step(async |tx| {
                let how = Turn {
                    rows_done: Some(self.done),
                    ..Turn::default()
                };
                turn(tx, id, (&[Status::Applying], Status::Applied), how, now).await?;
                events::record(tx, &desk.task.stamp(now), &change).await?;
                let outbox = desk.outbox()?;
                notice::requester(tx, &outbox, self.import, Kind::ImportApplied, now).await?;
                Ok::<_, Halt>(())
            })
            .await
    }
}

fn count(counts: &mut Counts, written: Written, rows: usize) -> Result<(), ImportError> {
    let number = |number: i64| u64::try_from(number).unwrap_or_default();
    counts.created += number(written.created);
    counts.updated += number(written.updated);
    counts.unchanged += number(written.unchanged);
    let seen = written.created + written.updated + written.unchanged;
    if usize::try_from(seen) != Ok(rows) {
        return Err(ImportError::Raced);
    }
    Ok(())
}
