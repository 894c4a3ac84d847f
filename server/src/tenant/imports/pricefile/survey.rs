//! The first look at a file: everything that must be known before its rows can be read.

use std::io::{Read, Seek, SeekFrom};
use std::sync::Arc;

use super::column::Column;
use super::currency;
use super::dialect::{self, Layout};
use super::duplicates::{Collected, Duplicates};
use super::encoding;
use super::error::FileError;
use super::fold;
use super::judge;
use super::mapping::{DecimalSign, Encoding, Mapping};
use super::obsolete::Markers;
use super::outcome::Outcome;
use super::plan::{Body, HomeCurrency, Plan, Verdicts, least_fields};
use super::records::Record;
use super::resolve::{self, Columns};
use super::rewrite::{self, ERROR_COLUMN};
use super::rows::Rows;

/// What the caller knows and wants.
#[derive(Debug, Clone)]
pub struct Options {
    /// What is known about the file; the rest is found.
    pub mapping: Option<Mapping>,
    /// ISO 4217 code of prices when the file names no currency at all.
    pub default_currency: Option<String>,
    /// What becomes of rows with the same article number.
    pub duplicates: Duplicates,
    /// How many rows that are not blank a file may have.
    pub max_rows: u64,
    /// The decimal sign of a file like this one, for prices that don't show theirs.
    pub decimal: Option<DecimalSign>,
}

/// A file that can be read, and how.
#[derive(Debug, Clone)]
pub struct Survey {
    plan: Arc<Plan>,
    verdicts: Arc<Verdicts>,
    mapping: Mapping,
    rows: u64,
}

/// Looks through a whole file and decides how to read it.
///
/// The file is read three times in constant memory: its bytes for the encoding, its cells for
/// columns and notation, and its rows for duplicates and the footer. Only the duplicates need
/// memory that grows: 16 bytes a row, given back but for those that repeat.
///
/// # Errors
///
/// Any [`FileError`]: a survey that succeeds promises rows.
pub fn survey<R: Read + Seek>(mut file: R, options: &Options) -> Result<Survey, FileError> {
    let mapping = options.mapping.clone().unwrap_or_default();
    let fixed = known_code(mapping.currency.as_deref())?;
    let default = known_code(options.default_currency.as_deref())?;
    file.seek(SeekFrom::Start(0))?;
    let encoding = match (encoding::detect(&mut file), mapping.encoding) {
        // A byte order mark is nobody's accident: rows that go back have one, whatever they came in.
        (Ok(Encoding::Utf8), Some(_)) if has_byte_order_mark(&mut file)? => Encoding::Utf8,
        // What breaks UTF-8 is an ordinary character in a code page.
        (Err(FileError::BrokenCharacter { .. }), Some(given)) if given != Encoding::Utf8 => given,
        (found, given) => given.unwrap_or(found?),
    };
    file.seek(SeekFrom::Start(0))?;
    let layout = dialect::sniff(&mut file, encoding, &mapping)?;
    let home = fixed.or(default);
    let (contents, rows) = contents(&mut file, encoding, &layout, options.max_rows, home)?;
    let columns = resolve::resolve(&layout.headers, &contents, &mapping)?;
    let currency = home_currency(&layout, &columns, fixed, default);
    let has_currency = contents[columns.price].money > 0 || columns.currency.is_some();
    if currency.is_none() && !has_currency {
        return Err(FileError::NoCurrency);
    }
    let price_sign = mapping
        .decimal
        .unwrap_or_else(|| price_sign(&contents, columns.price, options.decimal));
    let per_sign = columns
        .price_per
        .and_then(|place| contents[place].votes.clear());
    let plan = Plan {
        encoding,
        price_sign,
        per_sign: per_sign.unwrap_or(price_sign),
        currency,
        markers: Markers::new(&mapping.obsolete_markers),
        duplicates: options.duplicates,
        max_rows: options.max_rows,
        layout,
        columns,
    };
    let verdicts = verdicts(&mut file, &plan)?;
    let stated = match currency {
        Some(HomeCurrency::Stated(code)) => Some(code),
        // A default that some prices overrule must stay the weaker word.
        Some(HomeCurrency::Default(code)) => Some(code).filter(|_| !has_currency),
        None => None,
    };
    let mut resolved = Mapping {
        delimiter: Some(plan.layout.dialect.delimiter),
        encoding: Some(encoding),
        decimal: Some(price_sign),
        currency: stated.map(str::to_owned),
        header_line: Some(plan.layout.header_line),
        obsolete_markers: mapping.obsolete_markers,
        sheet: mapping.sheet,
        ..Mapping::default()
    };
    plan.columns.describe(&plan.layout.headers, &mut resolved);
    Ok(Survey {
        plan: Arc::new(plan),
        verdicts: Arc::new(verdicts),
        mapping: resolved,
        rows,
    })
}

/// The columns of a file of rows that went back, without the one that says what is wrong; nothing when
/// it is none. What keeps it from being read a survey tells.
pub fn returned<R: Read + Seek>(mut file: R, mapping: Option<&Mapping>) -> Option<Vec<String>> {
    let mapping = mapping.cloned().unwrap_or_default();
    file.seek(SeekFrom::Start(0)).ok()?;
    let encoding = match encoding::detect(&mut file) {
        Ok(found) => found,
        Err(_) => mapping.encoding?,
    };
    file.seek(SeekFrom::Start(0)).ok()?;
    let layout = dialect::sniff(&mut file, encoding, &mapping).ok()?;
    let own = rewrite::without_errors(&layout.headers);
    (own.len() < layout.headers.len()).then(|| own.to_vec())
}

impl Survey {
    /// The mapping as decided: complete, and good as input for the same file again.
    pub fn mapping(&self) -> &Mapping {
        &self.mapping
    }

    /// The file's column names on one line each, empty where there is none.
    pub fn columns(&self) -> &[String] {
        &self.plan.layout.headers
    }

    /// The names of the columns, without the one that says what is wrong.
    pub fn own_columns(&self) -> &[String] {
        rewrite::without_errors(self.columns())
    }

    /// The header as a line of CSV, for rows that go back: with a last column for what is wrong.
    pub fn heading(&self) -> String {
        let own = self.own_columns().iter();
        let all = own.map(String::as_str).chain([ERROR_COLUMN]);
        rewrite::line(all, self.plan.layout.dialect.delimiter)
    }

    /// How many columns such a row has, without the last one.
    pub fn width(&self) -> usize {
        self.own_columns().len()
    }

    /// Rows below the header that are not blank, whatever becomes of them.
    pub fn row_count(&self) -> u64 {
        self.rows
    }

    /// Good rows that give way to another with the same article number.
    pub fn duplicate_count(&self) -> u64 {
        self.verdicts.kept.repeats()
    }

    /// Reads the surveyed file from its start, row by row.
    ///
    /// # Errors
    ///
    /// [`FileError::Io`] when the reader cannot go back to its start.
    pub fn rows<R: Read + Seek>(&self, file: R) -> Result<Rows<R>, FileError> {
        Rows::open(file, Arc::clone(&self.plan), Arc::clone(&self.verdicts))
    }
}

fn has_byte_order_mark<R: Read + Seek>(file: &mut R) -> Result<bool, FileError> {
    let mut mark = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.take(3).read_to_end(&mut mark)?;
    Ok(mark == [0xEF, 0xBB, 0xBF])
}

fn known_code(given: Option<&str>) -> Result<Option<&'static str>, FileError> {
    let Some(given) = given else { return Ok(None) };
    let unknown = || FileError::InvalidMapping {
        reason: format!("\"{given}\" is not the ISO 4217 code of a currency"),
    };
    currency::of_code(given.trim())
        .map(Some)
        .ok_or_else(unknown)
}

/// Looks at every cell of every row that has the right number of them.
fn contents<R: Read + Seek>(
    file: R,
    encoding: Encoding,
    layout: &Layout,
    max_rows: u64,
    home: Option<&'static str>,
) -> Result<(Vec<Column>, u64), FileError> {
    let mut columns: Vec<Column> = layout.headers.iter().map(|_| Column::default()).collect();
    let mut body = Body::open(file, encoding, layout, max_rows)?;
    let mut record = Record::default();
    let least = least_fields(&layout.headers);
    while let Some(skip) = body.next(&mut record)? {
        if skip.is_none() && record.len() >= least {
            for (cell, column) in record.cells().zip(&mut columns) {
                column.see(cell, home);
            }
        }
    }
    if body.rows() == 0 {
        return Err(FileError::NoRows {
            line: layout.header_line,
        });
    }
    Ok((columns, body.rows()))
}

/// The mapping's currency, else the one in the price's header, else the caller's default.
///
/// A header names the currency of prices without one also when there is a currency column.
fn home_currency(
    layout: &Layout,
    columns: &Columns,
    fixed: Option<&'static str>,
    default: Option<&'static str>,
) -> Option<HomeCurrency> {
    let named = || currency::in_header(&layout.headers[columns.price], default);
    let stated = fixed.or_else(named).map(HomeCurrency::Stated);
    stated.or(default.map(HomeCurrency::Default))
}

/// The decimal sign of the prices: their own evidence, else what is known of such files, else that
/// of the other numbers in the file, else the documented guess.
fn price_sign(contents: &[Column], price: usize, known: Option<DecimalSign>) -> DecimalSign {
    let own = &contents[price].votes;
    own.clear().or(known).unwrap_or_else(|| {
        let numeric = contents.iter().filter(|column| column.is_numeric());
        let (commas, points): (Vec<DecimalSign>, _) = numeric
            .filter_map(|column| column.votes.clear())
            .partition(|sign| *sign == DecimalSign::Comma);
        match commas.len().cmp(&points.len()) {
            std::cmp::Ordering::Greater => DecimalSign::Comma,
            std::cmp::Ordering::Less => DecimalSign::Point,
            std::cmp::Ordering::Equal => own.guessed(),
        }
    })
}

/// Judges every row once, to know which article numbers repeat and where the footer starts.
fn verdicts<R: Read + Seek>(file: R, plan: &Plan) -> Result<Verdicts, FileError> {
    let mut body = Body::open(file, plan.encoding, &plan.layout, plan.max_rows)?;
    let mut record = Record::default();
    let mut collected = Collected::new();
    let mut last_body_line = 0;
    let mut decimals = Decimals::None;
    while let Some(skip) = body.next(&mut record)? {
        if skip.is_some() {
            continue;
        }
        plan.check_finished(&record)?;
        decimals = check_last_price(plan, &record, decimals)?;
        match judge::judge(plan, &record) {
            Outcome::Row(row) => {
                collected.add(&row.sku, row.line);
                last_body_line = row.line;
            }
            Outcome::Rejected(_) if !plan.is_footer_like(&record) => last_body_line = record.line,
            Outcome::Rejected(_) | Outcome::Superseded(_) | Outcome::Skipped { .. } => {}
        }
    }
    Ok(Verdicts {
        kept: collected.kept(plan.duplicates),
        last_body_line,
    })
}

/// How many decimals the prices so far are written with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Decimals {
    /// No price yet.
    None,
    Always(usize),
    Varying,
}

/// Refuses a file whose last cell is a price that breaks off: `144,50` would be read as 14.
///
/// It shows only where all other prices have the same decimals; elsewhere nothing tells a cut
/// price from a file that lacks its last line end.
fn check_last_price(plan: &Plan, record: &Record, before: Decimals) -> Result<Decimals, FileError> {
    let place = plan.columns.price;
    let text = fold::trimmed(record.get(place).unwrap_or(""));
    let written = text
        .rsplit_once(plan.price_sign.character())
        .map_or(0, |(_, after)| {
            after.chars().take_while(char::is_ascii_digit).count()
        });
    if !record.is_closed
        && record.len() == place + 1
        && matches!(before, Decimals::Always(decimals) if decimals > 0 && decimals != written)
    {
        let reason = "its price breaks off, and no line end follows";
        return Err(FileError::Truncated {
            line: record.line,
            reason,
        });
    }
    Ok(match before {
        _ if text.is_empty() => before,
        Decimals::None => Decimals::Always(written),
        Decimals::Always(decimals) if decimals == written => before,
        Decimals::Always(_) | Decimals::Varying => Decimals::Varying,
    })
}
