//! One import, from a file to a report.
//!
//! It holds its own transaction, unlike a service: a stream of rows can't be repeated, and the
//! statements run while the file is read.

use std::collections::{HashMap, HashSet};
use std::fs::File;

use actix_web::HttpResponse;
use time::OffsetDateTime;
use uuid::Uuid;

use super::batch::{self, Batch};
use super::claims::Claims;
use super::error::ImportError;
use super::pricefile::{self, ColumnRef, Duplicates, Mapping, PriceRow, Survey, UnitText};
use super::report::{Counts, Finding, Findings, Report};
use super::store::{self, Placed};
use crate::audit::Change;
use crate::db::{Failure, TenantDb, TenantTx, failure_of};
use crate::http::{Entry, Gate, Passage};
use crate::tenant::catalog::groups::{self, GroupToAdd};
use crate::tenant::catalog::units::{self, NewUnit};

/// Longest description of an item, characters.
const MAX_DESCRIPTION_CHARS: usize = 10_000;

/// Whether an import writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It does.
    Apply,
    /// It only says what it would do; its transaction is read-only.
    DryRun,
}

/// What is asked for.
#[derive(Debug, Clone)]
pub struct ImportOptions {
    /// How the file is to be read, as far as it's known.
    pub mapping: Option<Mapping>,
    /// What becomes of rows with the same code.
    pub duplicates: Duplicates,
    /// Whether to write.
    pub mode: Mode,
    /// Most rows of a file.
    pub max_rows: u64,
}

/// What an import came to.
#[derive(Debug)]
pub enum Ran {
    /// It only said what it would do.
    Dry(Box<Report>),
    /// It is done, and counts once the passage is left.
    Loaded(Box<Report>, Box<Passage>),
    /// The same request was done before; this was its answer.
    Before(HttpResponse),
}

/// What goes on record of an import.
pub fn record(report: &Report) -> Change {
    Change::of_all("import.apply", "item").after(&report.counts)
}

/// Loads a price file into a dealer's catalogue.
///
/// # Errors
///
/// [`ImportError`]; nothing is written then.
pub async fn run(
    (db, gate): (&TenantDb, &Gate),
    file: File,
    options: ImportOptions,
    now: OffsetDateTime,
) -> Result<Ran, ImportError> {
    let currency = db
        .read(async |tx| store::currency(tx).await)
        .await
        .map_err(ImportError::Db)?;
    let (survey, file) = look_through(file, &options, currency).await?;
    // Held to the end: a file takes seconds, and the lane serves others.
    let _leave = db.long_work().await.map_err(ImportError::Db)?;
    match options.mode {
        Mode::DryRun => {
            let tx = db.begin_read_only().await?;
            load(&tx, survey, file, Mode::DryRun, now)
                .await
                .map(|report| Ran::Dry(Box::new(report)))
        }
        Mode::Apply => {
            let passage = match gate.enter().await.map_err(ImportError::Refused)? {
                Entry::Open(passage) => passage,
                Entry::Before(answer) => return Ok(Ran::Before(answer)),
            };
            one_at_a_time(passage.tx()).await?;
            let report = load(passage.tx(), survey, file, Mode::Apply, now).await?;
            Ok(Ran::Loaded(Box::new(report), passage))
        }
    }
}

async fn one_at_a_time(tx: &TenantTx) -> Result<(), ImportError> {
    match store::currency_locking_imports(tx).await {
        Ok(_) => Ok(()),
        Err(error) if failure_of(&error) == Failure::Conflict => Err(ImportError::Running),
        Err(error) => Err(ImportError::Db(error)),
    }
}

async fn look_through(
    file: File,
    options: &ImportOptions,
    default_currency: Option<String>,
) -> Result<(Survey, File), ImportError> {
    let mut options = pricefile::Options {
        mapping: options.mapping.clone(),
        default_currency,
        duplicates: options.duplicates,
        max_rows: options.max_rows,
    };
    let looked = tokio::task::spawn_blocking(move || {
        let (file, mapping) = pricefile::readable(file, options.mapping.take())?;
        options.mapping = mapping;
        let survey = pricefile::survey(&file, &options)?;
        Ok::<_, ImportError>((survey, file))
    });
    looked
        .await
        .map_err(|error| ImportError::Storage(std::io::Error::other(error)))?
}

async fn load(
    tx: &TenantTx,
    survey: Survey,
    file: File,
    mode: Mode,
    now: OffsetDateTime,
) -> Result<Report, ImportError> {
    let mut import = Import::begin(tx, survey.mapping().clone(), mode, now).await?;
    let mut batches = batch::read(survey, file);
    while let Some(batch) = batches.recv().await {
        import.take(batch?).await?;
    }
    Ok(import.report)
}

/// An import under way.
struct Import<'a> {
    tx: &'a TenantTx,
    mode: Mode,
    now: OffsetDateTime,
    has_description: bool,
    /// Ids of groups by their path, those that this import adds included.
    groups: HashMap<Vec<String>, Uuid>,
    /// Units this import has met.
    units: HashSet<String>,
    /// Barcodes of rows that were read before; only a dry run needs them.
    claims: Claims,
    report: Report,
}

impl<'a> Import<'a> {
    async fn begin(
        tx: &'a TenantTx,
        mapping: Mapping,
        mode: Mode,
        now: OffsetDateTime,
    ) -> Result<Self, ImportError> {
        let groups = groups::all_paths(tx).await?;
        let units = units::all_codes(tx).await?;
        Ok(Self {
            tx,
            mode,
            now,
            has_description: mapping.description.is_some(),
            groups: groups
                .into_iter()
                .map(|group| (group.path, group.id))
                .collect(),
            units: units.into_iter().collect(),
            claims: Claims::default(),
            report: Report {
                dry_run: mode == Mode::DryRun,
                counts: Counts::default(),
                units_created: Vec::new(),
                groups_created: 0,
                mapping,
                rejected: Findings::default(),
                superseded: Findings::default(),
                warnings: Findings::default(),
            },
        })
    }

    async fn take(&mut self, batch: Batch) -> Result<(), ImportError> {
        self.tell(&batch)?;
        let rows = self.place(batch.rows).await?;
        if rows.is_empty() {
            return Ok(());
        }
        let written = match self.mode {
            Mode::Apply => store::write(self.tx, &rows, self.has_description, self.now).await?,
            Mode::DryRun => store::compare(self.tx, &rows, self.has_description).await?,
        };
        let count = |number: i64| u64::try_from(number).unwrap_or_default();
        let counts = &mut self.report.counts;
        counts.created += count(written.created);
        counts.updated += count(written.updated);
        counts.unchanged += count(written.unchanged);
        let seen = written.created + written.updated + written.unchanged;
        if usize::try_from(seen) != Ok(rows.len()) {
            return Err(ImportError::Raced);
        }
        self.take_barcodes(&rows).await
    }

    /// Counts and reports what isn't taken.
    fn tell(&mut self, batch: &Batch) -> Result<(), ImportError> {
        let counts = &mut self.report.counts;
        let (rejected, superseded) = (batch.rejected.len() as u64, batch.superseded.len() as u64);
        counts.rejected += rejected;
        counts.superseded += superseded;
        counts.skipped += batch.skipped;
        counts.rows += batch.rows.len() as u64 + rejected + superseded;
        for rejection in &batch.rejected {
            self.report
                .rejected
                .add(&rejection.clone().into())
                .map_err(ImportError::Storage)?;
        }
        for rejection in &batch.superseded {
            self.report
                .superseded
                .add(&rejection.clone().into())
                .map_err(ImportError::Storage)?;
        }
        Ok(())
    }

    /// Finds every row's unit and group, and adds those that are missing.
    async fn place(&mut self, rows: Vec<PriceRow>) -> Result<Vec<Placed>, ImportError> {
        let (mut new_units, mut new_groups) = (Vec::new(), Vec::new());
        let mut placed = Vec::with_capacity(rows.len());
        for mut row in rows {
            let Some(price) = row.price.take() else {
                continue;
            };
            self.cut_description(&mut row)?;
            let unit = self.unit_of(&row.unit, &mut new_units);
            let group_id = self.group_of(&row.group_path, &mut new_groups);
            placed.push(Placed {
                row,
                price,
                unit,
                group_id,
            });
        }
        self.report.groups_created += new_groups.len() as u64;
        self.report
            .units_created
            .extend(new_units.iter().map(|unit: &NewUnit| unit.code.clone()));
        if self.mode == Mode::Apply {
            units::ensure(self.tx, &new_units, self.now).await?;
            groups::add_all(self.tx, new_groups, self.now).await?;
        }
        Ok(placed)
    }

    fn unit_of(&mut self, unit: &UnitText, new: &mut Vec<NewUnit>) -> String {
        let (code, name) = match unit {
            UnitText::Known(code) => ((*code).to_owned(), *code),
            UnitText::Unknown(text) => (units::code_of(text), text.as_str()),
        };
        if self.units.insert(code.clone()) {
            new.push(NewUnit {
                code: code.clone(),
                name: name.to_owned(),
                symbol: name.chars().take(20).collect(),
                un_ece: None,
                decimals: 3,
            });
        }
        code
    }

    fn group_of(&mut self, path: &[String], new: &mut Vec<GroupToAdd>) -> Option<Uuid> {
        if let Some(id) = self.groups.get(path) {
            return Some(*id);
        }
        let (name, parents) = path.split_last()?;
        let parent_id = self.group_of(parents, new);
        let id = Uuid::now_v7();
        new.push(GroupToAdd {
            id,
            parent_id,
            name: name.clone(),
        });
        self.groups.insert(path.to_vec(), id);
        Some(id)
    }

    async fn take_barcodes(&mut self, rows: &[Placed]) -> Result<(), ImportError> {
        if rows.iter().all(|placed| placed.row.barcodes.is_empty()) {
            return Ok(());
        }
        let (touched, taken) = match self.mode {
            Mode::Apply => (
                store::add_barcodes(self.tx, rows, self.now).await?,
                store::taken_barcodes(self.tx, rows).await?,
            ),
            Mode::DryRun => {
                let (gaining, taken) = self.claims.take(self.tx, rows).await?;
                let has_description = self.has_description;
                let touched =
                    store::unchanged_among(self.tx, rows, has_description, gaining).await?;
                (touched, taken)
            }
        };
        let touched = u64::try_from(touched).unwrap_or_default();
        self.report.counts.updated += touched;
        self.report.counts.unchanged -= touched;
        for taken in taken {
            self.warn(Finding {
                line: u64::try_from(taken.line).unwrap_or_default(),
                column: None,
                hint: format!(
                    "{} has this barcode already; the row was taken without it",
                    taken.holder
                ),
                value: taken.barcode,
                code: "barcode_taken",
            })?;
        }
        Ok(())
    }

    /// Cuts a description to the length that people may write.
    fn cut_description(&mut self, row: &mut PriceRow) -> Result<(), ImportError> {
        let Some(text) = &mut row.description else {
            return Ok(());
        };
        let Some((end, _)) = text.char_indices().nth(MAX_DESCRIPTION_CHARS) else {
            return Ok(());
        };
        text.truncate(end);
        let finding = Finding {
            line: row.line,
            column: self
                .report
                .mapping
                .description
                .as_ref()
                .map(|column| match column {
                    ColumnRef::Name(name) => name.clone(),
                    ColumnRef::Number(number) => format!("column {number}"),
                }),
            value: text.chars().take(200).collect(),
            code: "description_cut",
            hint: format!("it was cut to {MAX_DESCRIPTION_CHARS} characters"),
        };
        self.warn(finding)
    }

    fn warn(&mut self, finding: Finding) -> Result<(), ImportError> {
        let warnings = &mut self.report.warnings;
        warnings.add(&finding).map_err(ImportError::Storage)
    }
}
