//! What can go wrong with settings.

use sea_orm::DbErr;

/// What can go wrong with settings.
#[derive(Debug, thiserror::Error)]
pub enum SettingError {
    /// It is at another version by now.
    #[error("it is at version {0} by now; read it again")]
    Changed(i64),
    /// Somebody else was the first to set it, a moment ago.
    #[error("it was set by somebody else a moment ago; read it again")]
    Overtaken,
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] DbErr),
}
