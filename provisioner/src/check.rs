//! Checks that prove a product's migrations before any tenant meets them. Each migration is taken
//! on a scratch database that holds rows, and what it did is read from the catalogues; a fleet is
//! only looked at.

mod code;
mod entities;
mod entity_table;
mod error;
mod finding;
mod fleet;
mod kind;
mod lint;
mod page;
mod roads;
mod rows;
mod run;
mod scratch;
mod snapshot;
mod stage;
mod waiver;
mod walk;

pub use self::code::{CODES, Code, Severity};
pub use self::entity_table::{EntityColumn, EntityTable};
pub use self::error::CheckError;
pub use self::finding::{Finding, HeldLock, MigrationReport, Part, PartReport, Report, Waived};
pub use self::run::{CheckOptions, check};
pub use self::scratch::{ScratchAt, ScratchName, discard};
pub use self::waiver::Waiver;
