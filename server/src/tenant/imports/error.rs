//! What can go wrong with an import as a whole. Bad rows are no errors: they are reported.

use sea_orm::DbErr;

use super::pricefile::FileError;
use crate::db::{Failure, failure_of};
use crate::http::Problem;
use crate::tenant::catalog::CatalogError;

/// Constraints that an import breaks only when somebody adds the same item or group, or removes a unit
/// or a group, after it has looked.
const BROKEN_BY_OTHERS: [&str; 6] = [
    "item_sku_key",
    "item_group_parent_id_name_key",
    "item_group_parent_id_fkey",
    "item_group_id_fkey",
    "item_base_unit_fkey",
    "item_price_unit_fkey",
];

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file, or its mapping, can't be used.
    #[error("the file can't be imported")]
    File(#[from] FileError),
    /// The upload isn't a form with a file, or one of its fields can't be understood.
    #[error("{0}")]
    Upload(String),
    /// The upload is larger than allowed; the limit in bytes.
    #[error("a price file may have at most {0} bytes")]
    TooLarge(u64),
    /// The gate did not open.
    #[error("the request was refused")]
    Refused(Problem),
    /// Another import of this dealer is under way.
    #[error("another import of this dealer is under way")]
    Running,
    /// Somebody changed items, groups or units that the file needs in the same moment.
    #[error("the catalogue was changed at the same moment")]
    Raced,
    /// The disk, or the thread that reads the file, failed.
    #[error("the file could not be kept")]
    Storage(#[source] std::io::Error),
    /// The catalogue refused.
    #[error("the catalogue refused")]
    Catalog(#[from] CatalogError),
    /// The database failed.
    #[error("the database failed")]
    Db(#[source] DbErr),
}

impl From<DbErr> for ImportError {
    fn from(error: DbErr) -> Self {
        match failure_of(&error) {
            Failure::Conflict => Self::Raced,
            Failure::Constraint(name) if BROKEN_BY_OTHERS.contains(&name.as_str()) => Self::Raced,
            _ => Self::Db(error),
        }
    }
}
