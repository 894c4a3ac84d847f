//! What can go wrong with exports.

use sea_orm::DbErr;

use crate::http::{Code, Problem};
use crate::kernel::CursorError;
use crate::storage::StorageError;

/// What can go wrong with exports.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// There is no such export, or it has expired.
    #[error("export does not exist")]
    NotFound,
    /// Its file isn't written yet, or never will be.
    #[error("the file is not there: the export is {0}")]
    NotReady(String),
    /// The cursor belongs to another list.
    #[error(transparent)]
    Cursor(#[from] CursorError),
    /// The file could not be read.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] DbErr),
}

impl From<ExportError> for Problem {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::NotFound | ExportError::Storage(StorageError::Missing) => {
                Self::new(Code::ExportNotFound)
            }
            ExportError::NotReady(_) => Self::new(Code::ExportNotReady).detail(error),
            ExportError::Cursor(error) => error.into(),
            ExportError::Storage(
                cause
                @ (StorageError::Full(_) | StorageError::Failed(_) | StorageError::Scratch(_)),
            ) => Self::new(Code::Unavailable).because(format!("an export's file: {cause:?}")),
            ExportError::Db(error) => Self::database(&error),
        }
    }
}
