//! Why somebody is not let in.

use sea_orm::DbErr;

/// Why somebody is not let in.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// No such member, no password yet, a wrong one, or a disabled member: all the same.
    #[error("e-mail address or password is wrong")]
    WrongCredentials,
    /// The access token is missing, malformed, out of date, or its session has ended.
    #[error("the access token is not valid")]
    InvalidToken,
    /// The access token was issued for another dealer.
    #[error("the access token belongs to another dealer")]
    OtherTenant,
    /// The refresh token is unknown, out of date, already replaced, or its session has ended.
    #[error("the refresh token is not valid")]
    InvalidRefreshToken,
    /// Too many failed attempts; seconds until the next may be made.
    #[error("too many failed attempts")]
    TooManyAttempts(u64),
    /// What tokens are signed with is not known yet.
    #[error("the signing keys are not known yet")]
    Unavailable,
    /// The password could not be checked at all.
    #[error("the password could not be checked")]
    Broken(String),
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] DbErr),
}
