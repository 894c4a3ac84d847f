//! What became of an import. Rows of any number are told one by one, so they wait on disk.

use std::io::{self, Read, Seek, SeekFrom, Write};

use serde::Serialize;
use tempfile::SpooledTempFile;
use utoipa::ToSchema;

use super::pricefile::{Mapping, Rejection};

/// Findings beyond this many bytes go to disk.
const IN_MEMORY: usize = 256 * 1024;

/// What became of the rows, in numbers. `rows` is the sum of the six below it but `skipped`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Counts {
    /// Rows of the file that are meant as items.
    pub rows: u64,
    /// Items that were not there before.
    pub created: u64,
    /// Items that differ from what they were.
    pub updated: u64,
    /// Items that were as the file has them.
    pub unchanged: u64,
    /// Rows that were not taken; see `rejected_rows`.
    pub rejected: u64,
    /// Good rows that a later row with the same code replaced; see `superseded_rows`.
    pub superseded: u64,
    /// Blank rows, totals and other rows that are no items.
    pub skipped: u64,
}

/// Something about one row that the sender should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Finding {
    /// Physical line in the file where the row begins, from 1.
    #[schema(example = 17)]
    pub line: u64,
    /// Name of the column, if one is to blame.
    #[schema(example = "PRICE", required)]
    pub column: Option<String>,
    /// What stands there, cut to 200 characters.
    #[schema(example = "1.2.3")]
    pub value: String,
    /// What is wrong, for programs.
    #[schema(example = "price_invalid")]
    pub code: &'static str,
    /// How to mend it, for people.
    pub hint: String,
}

impl From<Rejection> for Finding {
    fn from(rejection: Rejection) -> Self {
        Self {
            line: rejection.line,
            column: rejection.column,
            value: rejection.value,
            code: rejection.code.as_str(),
            hint: rejection.hint,
        }
    }
}

/// What became of an import.
#[derive(Debug)]
pub struct Report {
    /// Whether nothing was written, on purpose.
    pub dry_run: bool,
    /// In numbers.
    pub counts: Counts,
    /// Codes of units that the file uses and the dealer didn't have.
    pub units_created: Vec<String>,
    /// How many groups the dealer didn't have.
    pub groups_created: u64,
    /// How the file was read; it can be given back with the next file of this kind.
    pub mapping: Mapping,
    /// Rows that were not taken.
    pub rejected: Findings,
    /// Rows that a later one replaced.
    pub superseded: Findings,
    /// Things about rows that were taken.
    pub warnings: Findings,
}

/// Any number of findings, as JSON on their way to the wire.
#[derive(Debug)]
pub struct Findings {
    json: SpooledTempFile,
    is_empty: bool,
}

impl Default for Findings {
    fn default() -> Self {
        Self {
            json: SpooledTempFile::new(IN_MEMORY),
            is_empty: true,
        }
    }
}

impl Findings {
    /// Adds one.
    ///
    /// # Errors
    ///
    /// When the disk is full.
    pub fn add(&mut self, finding: &Finding) -> io::Result<()> {
        if !self.is_empty {
            self.json.write_all(b",\n")?;
        }
        self.is_empty = false;
        serde_json::to_writer(&mut self.json, finding).map_err(io::Error::from)
    }

    /// The objects, separated by commas.
    ///
    /// # Errors
    ///
    /// When they can't be read back.
    pub fn into_reader(mut self) -> io::Result<impl Read + Send> {
        self.json.seek(SeekFrom::Start(0))?;
        Ok(self.json)
    }
}
