//! Everything that a survey decided about a file, and walking its rows by it.

use std::io::{Read, Seek, SeekFrom};

use super::dialect::Layout;
use super::duplicates::{Duplicates, Kept};
use super::error::FileError;
use super::fold;
use super::mapping::{DecimalSign, Encoding};
use super::obsolete::Markers;
use super::outcome::SkipReason;
use super::records::{Record, Records};
use super::resolve::Columns;
use super::synonyms;

/// How to read one file.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) encoding: Encoding,
    pub(super) layout: Layout,
    pub(super) columns: Columns,
    pub(super) price_sign: DecimalSign,
    pub(super) per_sign: DecimalSign,
    /// What prices are in that say nothing themselves, and whether the file itself says so.
    pub(super) currency: Option<HomeCurrency>,
    pub(super) markers: Markers,
    pub(super) duplicates: Duplicates,
    pub(super) max_rows: u64,
}

/// The currency of prices that name none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HomeCurrency {
    /// By the mapping or the header: a price in another one contradicts it.
    Stated(&'static str),
    /// The caller's default: a price may name another.
    Default(&'static str),
}

impl HomeCurrency {
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Stated(code) | Self::Default(code) => code,
        }
    }
}

/// What the whole file says about single rows, known after the survey.
#[derive(Debug, Clone)]
pub(super) struct Verdicts {
    pub(super) kept: Kept,
    /// The last row that is an article or means to be; what follows is a footer.
    pub(super) last_body_line: u64,
}

/// The rows below the header, counted and told from blank ones.
pub(super) struct Body<R> {
    records: Records<R>,
    header: Vec<String>,
    least_fields: usize,
    header_line: u64,
    is_past_header: bool,
    rows: u64,
    max_rows: u64,
}

impl<R: Read + Seek> Body<R> {
    pub(super) fn open(
        mut file: R,
        encoding: Encoding,
        layout: &Layout,
        max_rows: u64,
    ) -> Result<Self, FileError> {
        file.seek(SeekFrom::Start(0))?;
        Ok(Self {
            records: Records::new(file, encoding, layout.dialect),
            least_fields: least_fields(&layout.headers),
            header: layout.headers.clone(),
            header_line: layout.header_line,
            is_past_header: false,
            rows: 0,
            max_rows,
        })
    }

    /// The next row below the header, and why it is no article if that shows at once.
    pub(super) fn next(
        &mut self,
        record: &mut Record,
    ) -> Result<Option<Option<SkipReason>>, FileError> {
        while !self.is_past_header {
            if !self.records.read(record)? {
                return Ok(None);
            }
            self.is_past_header = record.line >= self.header_line;
        }
        if !self.records.read(record)? {
            return Ok(None);
        }
        if record.cells().all(is_empty) {
            return Ok(Some(Some(SkipReason::Blank)));
        }
        self.rows += 1;
        if self.rows > self.max_rows {
            return Err(FileError::TooManyRows {
                line: record.line,
                limit: self.max_rows,
            });
        }
        if record.len() >= self.least_fields && self.is_header(record) {
            return Ok(Some(Some(SkipReason::RepeatedHeader)));
        }
        Ok(Some(None))
    }

    /// Rows so far that are not blank.
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    fn is_header(&self, record: &Record) -> bool {
        let same = |(cell, header): (&str, &String)| {
            let cell = fold::trimmed(cell);
            cell == header || (!header.is_empty() && fold::one_line(cell) == *header)
        };
        record.cells().zip(&self.header).all(same)
    }
}

/// How many fields a row must have: trailing nameless columns may be missing.
pub(super) fn least_fields(headers: &[String]) -> usize {
    headers
        .iter()
        .rposition(|header| !header.is_empty())
        .map_or(headers.len(), |last| last + 1)
}

/// Blank, or the end-of-file character of DOS.
fn is_empty(cell: &str) -> bool {
    let cell = fold::trimmed(cell);
    cell.is_empty() || cell == "\u{1a}"
}

impl Plan {
    /// Whether a row has a field for each column; further ones may only be blank.
    pub(super) fn has_right_width(&self, record: &Record) -> bool {
        let headers = &self.layout.headers;
        record.len() >= least_fields(headers)
            && (headers.len()..record.len()).all(|at| record.get(at).is_none_or(is_empty))
    }

    /// Refuses a last row that breaks off before its last field.
    pub(super) fn check_finished(&self, record: &Record) -> Result<(), FileError> {
        let is_note = || {
            let first = fold::trimmed(record.get(0).unwrap_or(""));
            let is_sentence = record.len() == 1 && first.split_whitespace().count() >= 3;
            is_total(first) || (is_sentence && self.columns.sku == 0)
        };
        if record.is_closed || record.len() >= least_fields(&self.layout.headers) || is_note() {
            return Ok(());
        }
        let reason = "it has too few fields, and no line end follows";
        Err(FileError::Truncated {
            line: record.line,
            reason,
        })
    }

    /// Whether a row says nothing in any column that the plan uses.
    pub(super) fn is_unmapped(&self, record: &Record) -> bool {
        let columns = &self.columns;
        let needed = [columns.sku, columns.name, columns.unit, columns.price];
        let others = [
            columns.description,
            columns.price_per,
            columns.barcode,
            columns.status,
        ];
        let used = needed.into_iter().chain(others.into_iter().flatten());
        let mut used = used.chain(columns.group.iter().copied());
        used.all(|place| record.get(place).is_none_or(is_empty))
    }

    /// Whether a row reads like a total or a note; it is one only after the last article.
    ///
    /// A total begins with a word for it and has no unit; a note is one text of several words
    /// in the place of the article number or the name, and nothing else.
    pub(super) fn is_footer_like(&self, record: &Record) -> bool {
        let cell = |place: usize| fold::trimmed(record.get(place).unwrap_or(""));
        let columns = &self.columns;
        let has_letters = |cell: &&str| cell.contains(char::is_alphabetic);
        let first = record
            .cells()
            .map(fold::trimmed)
            .find(has_letters)
            .unwrap_or("");
        let (sku, name) = (cell(columns.sku), cell(columns.name));
        let has_unit = !cell(columns.unit).is_empty();
        if is_total(first) && !has_unit && (sku.is_empty() || sku == first) {
            return true;
        }
        let filled = record.cells().filter(|cell| !is_empty(cell)).count();
        let texts = [sku, name, first]
            .into_iter()
            .filter(|text| text.contains(fold::is_blank));
        let is_alone = sku.is_empty() || name.is_empty();
        is_alone && !has_unit && cell(columns.price).is_empty() && filled <= 2 && texts.count() > 0
    }
}

fn is_total(text: &str) -> bool {
    let words = fold::words(text.get(..text.len().min(64)).unwrap_or(text));
    words
        .split(' ')
        .next()
        .is_some_and(|first| synonyms::TOTALS.contains(&first))
}
