//! What can go wrong with notifications.

use sea_orm::DbErr;

use crate::kernel::CursorError;

/// What can go wrong with notifications.
#[derive(Debug, thiserror::Error)]
pub enum NotificationError {
    /// There is none of that id that is theirs.
    #[error("there is no such notification")]
    NotFound,
    /// The preferences are at another version by now.
    #[error("it is at version {0} by now; read it again")]
    Changed(i64),
    /// Somebody else was the first to set them, a moment ago.
    #[error("it was set by somebody else a moment ago; read it again")]
    Overtaken,
    /// There is no kind of that name; the pointer says where it stood.
    #[error("there is no such kind")]
    UnknownKind(String),
    /// It is about the safety of the account.
    #[error("what is about the safety of your account is always told")]
    Fixed(String),
    /// It was chosen for twice.
    #[error("each kind may stand there once")]
    Twice(String),
    /// The cursor leads nowhere.
    #[error("the cursor can't be read")]
    Cursor(#[from] CursorError),
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] DbErr),
}
