//! Exports: what a dealer has, as a file that they fetch once it is written.
//!
//! Invariants: who fetches a file that tells costs may see them at that moment, as who asked for it
//! did at theirs; nothing in a file is a formula; our own importer reads the file back to the same
//! items; a file goes with its row.

pub mod http;
pub mod jobs;

mod column;
mod ending;
mod error;
mod service;
mod sheet;
mod wire;
mod writing;

pub use column::Column;
pub use error::ExportError;
pub use service::files_needed;
