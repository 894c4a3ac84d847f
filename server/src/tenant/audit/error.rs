//! What can go wrong when the trail is read.

use sea_orm::DbErr;

use crate::kernel::CursorError;

/// Why nothing is told.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// Not there, or not theirs to see.
    #[error("there is no such record")]
    NotFound,
    /// The cursor belongs to another list.
    #[error(transparent)]
    Cursor(#[from] CursorError),
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] DbErr),
}
