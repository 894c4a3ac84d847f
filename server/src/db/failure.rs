//! What a database error means to the one who asked, told by SQLSTATE and by constraint name.

use sea_orm::{DbErr, RuntimeErr};

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The database can't be reached or has no room; trying again later helps.
    Unavailable,
    /// A statement took longer than it may.
    TimedOut,
    /// A constraint refused the row.
    Constraint(String),
    /// A text holds a character that no text in the database can hold, such as NUL.
    Unstorable,
    /// Two transactions stood in each other's way; trying again helps.
    Conflict,
    /// Anything else is our fault.
    Unexpected,
}

/// Sorts an error into what its receiver can do about it.
pub fn failure_of(error: &DbErr) -> Failure {
    if matches!(error, DbErr::ConnectionAcquire(_)) {
        return Failure::Unavailable;
    }
    let (DbErr::Conn(cause) | DbErr::Exec(cause) | DbErr::Query(cause)) = error else {
        return Failure::Unexpected;
    };
    let RuntimeErr::SqlxError(cause) = cause else {
        return Failure::Unexpected;
    };
    if is_connection_lost(cause) {
        return Failure::Unavailable;
    }
    let Some(refusal) = cause.as_database_error() else {
        return Failure::Unexpected;
    };
    if let Some(constraint) = refusal.constraint() {
        return Failure::Constraint(constraint.to_owned());
    }
    match refusal.code().as_deref() {
        Some("57014") => Failure::TimedOut,
        Some("22021" | "22P05") => Failure::Unstorable,
        Some("40001" | "40P01" | "55P03") => Failure::Conflict,
        _ => Failure::Unexpected,
    }
}

/// Whether the connection is of no more use, or could not be had: class 08, too many
/// connections, the server going down or coming up, a login that is being changed.
pub(super) fn is_connection_lost(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) => true,
        sqlx::Error::WorkerCrashed | sqlx::Error::PoolClosed | sqlx::Error::PoolTimedOut => true,
        sqlx::Error::Database(refusal) => refusal.code().is_some_and(|code| {
            code.starts_with("08")
                || matches!(
                    &*code,
                    "53300" | "57P01" | "57P02" | "57P03" | "57P05" | "3D000"
                )
        }),
        _ => false,
    }
}
