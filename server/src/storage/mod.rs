//! Files of tenants: uploads and exports, on a disk or in an S3 bucket.
//!
//! Invariants: a file's name is made from its tenant's key; a file is there as a whole or not at all;
//! what is read or written passes through in pieces, whatever its size.

mod error;
mod key;
mod lying;
mod reading;
mod store;
mod writing;

pub use error::{PutError, StorageError, is_full};
pub use key::{Shelf, StorageKey};
pub use lying::Lying;
pub use reading::Opened;
pub use store::Storage;
pub use writing::{Stored, pieces};
