//! Why a session is not shown or ended.

use sea_orm::DbErr;

use crate::auth::AuthError;
use crate::kernel::CursorError;

/// Why a session is not shown or ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum SessionError {
    /// There is none, or it is somebody else's.
    #[error("there is no such session")]
    NotFound,
    /// There is none, or they are out of reach.
    #[error("there is no such member")]
    MemberNotFound,
    /// The dealer is named to say that it is meant.
    #[error("confirm with the dealer's slug")]
    NotConfirmed,
    /// The cursor is another list's.
    #[error("the cursor does not belong to this list")]
    Cursor(#[from] CursorError),
    /// It could not be ended.
    #[error("the session could not be ended")]
    Auth(#[from] AuthError),
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] DbErr),
}
