//! What a database error means to the one who asked, told by SQLSTATE and by constraint name.

use sea_orm::{DbErr, RuntimeErr};

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The database can't be reached or has no room; trying again later helps.
    Unavailable,
    /// The dealer has as many requests under way as it may have; trying again later helps.
    Busy,
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
    if matches!(error, DbErr::Custom(text) if text == TOO_BUSY) {
        return Failure::Busy;
    }
    if matches!(error, DbErr::Custom(text) if text == UNSTORABLE) {
        return Failure::Unstorable;
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

/// SeaORM has no word of its own for it.
const TOO_BUSY: &str = "the dealer has as many requests under way as it may have";

/// The refusal of a dealer's own bound.
pub(super) fn too_busy() -> DbErr {
    DbErr::Custom(TOO_BUSY.to_owned())
}

const UNSTORABLE: &str = "a text holds a character that no text in the database can hold";

/// Our own refusal of a character that Postgres would refuse, where it must not get that far.
pub(super) fn unstorable() -> DbErr {
    DbErr::Custom(UNSTORABLE.to_owned())
}

/// Whether a transaction could not be begun because the login may not become this dealer, or the
/// dealer isn't there: it has moved, and the directory knows where to.
pub(super) fn is_gone_from_here(error: &DbErr) -> bool {
    let (DbErr::Query(RuntimeErr::SqlxError(cause)) | DbErr::Conn(RuntimeErr::SqlxError(cause))) =
        error
    else {
        return false;
    };
    cause.as_database_error().is_some_and(|refusal| {
        let code = refusal.code();
        let gone = ["42501", "42704", "22023", "28000", "28P01"];
        code.is_some_and(|code| gone.contains(&&*code))
    })
}

/// Whether the connection is of no more use, or could not be had: class 08, too many
/// connections, the server going down or coming up, a transaction that lay idle for too long, a
/// login that is being changed or has gone.
pub(super) fn is_connection_lost(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) => true,
        sqlx::Error::WorkerCrashed | sqlx::Error::PoolClosed | sqlx::Error::PoolTimedOut => true,
        sqlx::Error::Database(refusal) => refusal.code().is_some_and(|code| {
            code.starts_with("08")
                || matches!(
                    &*code,
                    "53300"
                        | "57P01"
                        | "57P02"
                        | "57P03"
                        | "57P05"
                        | "25P03"
                        | "3D000"
                        | "28000"
                        | "28P01"
                )
        }),
        _ => false,
    }
}

/// Whether a job's step was refused because somebody else has the job by now (see schema `jobs`).
pub fn is_job_lost(error: &DbErr) -> bool {
    let (DbErr::Query(RuntimeErr::SqlxError(cause)) | DbErr::Exec(RuntimeErr::SqlxError(cause))) =
        error
    else {
        return false;
    };
    cause
        .as_database_error()
        .is_some_and(|refusal| refusal.code().as_deref() == Some("TBX01"))
}
