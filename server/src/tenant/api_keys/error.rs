//! What can go wrong with API keys.

use sea_orm::DbErr;

use crate::auth::AuthError;
use crate::http::{Code, Problem};
use crate::kernel::CursorError;

/// What can go wrong with API keys.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// There is no such key.
    #[error("API key does not exist")]
    NotFound,
    /// It is revoked or has expired.
    #[error("the key is revoked or has expired; make a new one")]
    Ended,
    /// Whoever asks doesn't hold what the key is to be given.
    #[error("the key would be given {0}, which you don't hold")]
    TooWide(String),
    /// It is at another version by now.
    #[error("it is at version {0} by now; read it again")]
    Changed(i64),
    /// The cursor belongs to another list.
    #[error(transparent)]
    Cursor(#[from] CursorError),
    /// A secret could not be made.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] DbErr),
}

impl From<KeyError> for Problem {
    fn from(error: KeyError) -> Self {
        let code = match &error {
            KeyError::NotFound => return Self::new(Code::ApiKeyNotFound),
            KeyError::Cursor(error) => return Self::from(error.clone()),
            KeyError::Db(error) => return Self::database(error),
            KeyError::Auth(_) => return Self::internal(error),
            KeyError::Ended => Code::ApiKeyEnded,
            KeyError::TooWide(_) => Code::GrantTooWide,
            KeyError::Changed(_) => Code::PreconditionFailed,
        };
        Self::new(code).detail(error)
    }
}
