//! Why a price file is refused as a whole; a fault in one row is a `Rejection` instead.

use std::io;

use super::mapping::Field;

/// What the header search wants to see; part of the message, so that it can be put right.
pub(super) const LOOKED_FOR: &str = "a row that names at least two of: article number, name, \
     unit, price, currency, barcode, group (English, German, Portuguese, Spanish, French or \
     Estonian)";

/// A file that cannot be read as a price list. Lines are physical lines, counted from one.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The reader failed; the only variant that is not the file's fault.
    #[error("the file could not be read")]
    Io(#[from] io::Error),
    /// No characters at all, or only blanks.
    #[error("the file is empty")]
    Empty,
    /// A header, and nothing below it.
    #[error("the file has a header in line {line} but no rows below it")]
    NoRows {
        /// Where the header is.
        line: u64,
    },
    /// A workbook, a PDF, an archive, or bytes that no text has.
    #[error("line {line}: not a text file: {reason}")]
    NotText {
        /// Where it shows first.
        line: u64,
        /// What it looks like instead, and what to do.
        reason: String,
    },
    /// A workbook that can't be read, or is none.
    #[error("the workbook can't be read: {reason}")]
    Workbook {
        /// What is wrong with it, and what to do.
        reason: String,
    },
    /// The mapping names a worksheet that the workbook lacks.
    #[error("the workbook has no worksheet \"{sheet}\"; it has: {}", sheets.join(", "))]
    SheetNotFound {
        /// The worksheet as the mapping names it.
        sheet: String,
        /// Those that are there.
        sheets: Vec<String>,
    },
    /// UTF-8 apart from a few broken places.
    #[error(
        "line {line}: the file is UTF-8, but a character in this line is broken; \
         save the file again as UTF-8"
    )]
    BrokenCharacter {
        /// The first broken place.
        line: u64,
    },
    /// The end of the file is missing.
    #[error("the file is cut off in the row that starts in line {line}: {reason}")]
    Truncated {
        /// Where the unfinished row starts.
        line: u64,
        /// What is unfinished about it.
        reason: &'static str,
    },
    /// No row looks like column names.
    #[error("no header was found from line {line} on: looked for {looked_for}")]
    NoHeader {
        /// Where the search started, or the line that the mapping gave.
        line: u64,
        /// What a header must have.
        looked_for: &'static str,
    },
    /// A needed field that no column seems to hold.
    #[error("no column for the {field} was found; the columns are: {}", columns.join(", "))]
    MissingColumn {
        /// The field.
        field: Field,
        /// The columns that are there, as the file names them.
        columns: Vec<String>,
    },
    /// The mapping names a column that the file lacks.
    #[error(
        "the mapping takes the {field} from column {column}, which is not in the file; \
         the columns are: {}", columns.join(", ")
    )]
    ColumnNotFound {
        /// The field it was meant for.
        field: Field,
        /// The column as the mapping names it.
        column: String,
        /// The columns that are there, as the file names them.
        columns: Vec<String>,
    },
    /// Neither the file nor the mapping nor the caller says what the prices are in.
    #[error("the file does not say the currency of its prices; give one in the mapping")]
    NoCurrency,
    /// The mapping contradicts itself or holds a word that means nothing.
    #[error("the mapping is wrong: {reason}")]
    InvalidMapping {
        /// What is wrong.
        reason: String,
    },
    /// More rows than the caller allows.
    #[error("line {line}: the file has more than {limit} rows")]
    TooManyRows {
        /// The first row too many.
        line: u64,
        /// The caller's limit.
        limit: u64,
    },
    /// A header nobody can mean.
    #[error("line {line}: the file has more than {limit} columns")]
    TooManyColumns {
        /// The header's line.
        line: u64,
        /// The limit.
        limit: usize,
    },
    /// A row of more than a mebibyte, nearly always a quotation mark that is never closed.
    #[error(
        "the row that starts in line {line} is longer than {limit} bytes; \
         look for a quotation mark that is not closed"
    )]
    RowTooLong {
        /// Where the row starts.
        line: u64,
        /// The limit in bytes.
        limit: usize,
    },
}

impl FileError {
    /// A stable word for the kind of error, for problem types and statistics.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io(_) => "unreadable",
            Self::Empty => "empty",
            Self::NoRows { .. } => "no_rows",
            Self::NotText { .. } => "not_text",
            Self::Workbook { .. } => "workbook_unreadable",
            Self::SheetNotFound { .. } => "sheet_not_found",
            Self::BrokenCharacter { .. } => "broken_character",
            Self::Truncated { .. } => "truncated",
            Self::NoHeader { .. } => "no_header",
            Self::MissingColumn { .. } => "missing_column",
            Self::ColumnNotFound { .. } => "column_not_found",
            Self::NoCurrency => "no_currency",
            Self::InvalidMapping { .. } => "invalid_mapping",
            Self::TooManyRows { .. } => "too_many_rows",
            Self::TooManyColumns { .. } => "too_many_columns",
            Self::RowTooLong { .. } => "row_too_long",
        }
    }

    /// The physical line that the error is about, where there is one.
    pub fn line(&self) -> Option<u64> {
        match self {
            Self::NoRows { line }
            | Self::NotText { line, .. }
            | Self::BrokenCharacter { line }
            | Self::Truncated { line, .. }
            | Self::NoHeader { line, .. }
            | Self::TooManyRows { line, .. }
            | Self::TooManyColumns { line, .. }
            | Self::RowTooLong { line, .. } => Some(*line),
            Self::Io(_)
            | Self::Empty
            | Self::MissingColumn { .. }
            | Self::ColumnNotFound { .. }
            | Self::NoCurrency
            | Self::Workbook { .. }
            | Self::SheetNotFound { .. }
            | Self::InvalidMapping { .. } => None,
        }
    }
}
