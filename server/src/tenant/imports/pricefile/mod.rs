//! Reads suppliers' price files: delimited text in any of our encodings, languages and habits.
//!
//! [`survey`] looks through a whole file and decides how to read it; [`Survey::rows`] then yields
//! an [`Outcome`] for each row. Both are synchronous, take nothing but the reader they are
//! given, and need constant memory, but for sixteen bytes a row to notice duplicates.
//!
//! A faulty file is a [`FileError`]; a faulty row is a [`Rejection`] that says how to mend it,
//! and the rows around it are read all the same. Prices are never guessed: where two readings of
//! a row are possible and nothing decides between them, the row is rejected.

mod barcode;
mod codepage;
mod column;
mod currency;
mod decode;
mod dialect;
mod duplicates;
mod encoding;
mod error;
mod fold;
mod header;
mod judge;
mod mapping;
mod mend;
mod number;
mod obsolete;
mod outcome;
mod plan;
mod records;
mod resolve;
mod rewrite;
mod rows;
mod survey;
mod synonyms;
mod unit;
mod workbook;

pub use duplicates::Duplicates;
pub use error::FileError;
pub use mapping::{ColumnRef, DecimalSign, Delimiter, Encoding, Field, Mapping};
pub use outcome::{
    Outcome, Price, PriceRow, Rejection, RejectionCode, RowStatus, SkipReason, UnitText,
};
pub use rewrite::{ERROR_COLUMN, line as csv_line};
pub use rows::Rows;
pub use survey::{Options, Survey, returned, survey};
pub use workbook::readable;

#[cfg(test)]
#[path = "tests/mod.rs"]
mod tests;
