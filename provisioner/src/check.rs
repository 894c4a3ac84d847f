//! Checks that prove a product's migrations before any tenant meets them. Each migration is taken
//! on a scratch database that holds rows, and what it did is read from the catalogues; a fleet is
//! only looked at.

mod code;
mod entity_table;
mod finding;
mod fleet;
mod waiver;

pub use self::code::{CODES, Code, Severity};
pub use self::entity_table::{EntityColumn, EntityTable};
pub use self::finding::{Finding, HeldLock, MigrationReport, Part, PartReport, Report, Waived};
pub use self::waiver::Waiver;
