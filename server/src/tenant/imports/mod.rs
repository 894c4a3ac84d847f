//! Price files: received, read, and loaded into the catalogue.
//!
//! Invariants: an import is all or nothing in the database, good rows are taken and bad ones
//! reported one by one; a dry run can't write, the database holds it to that; memory stays
//! constant whatever the file; a row that changes nothing writes nothing.

pub mod http;

mod batch;
mod claims;
mod error;
pub mod pricefile;
mod report;
mod run;
mod store;
mod upload;

pub use error::ImportError;
pub use report::{Counts, Finding, Report};
pub use run::{ImportOptions, Mode, run};
