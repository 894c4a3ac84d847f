//! What a failure of the database says about trying again.

use sea_orm::DbErr;

use super::RunError;
use crate::db_error;

/// A lock was not to be had, or two waited for each other.
pub(super) fn is_lock(error: &DbErr) -> bool {
    db_error::trouble(error) == db_error::Trouble::Busy
}

/// The server is short of something that may come back: connections, memory, itself.
pub(super) fn is_passing(error: &DbErr) -> bool {
    let code = db_error::sqlstate(error);
    matches!(
        code.as_deref(),
        Some("53300" | "53200" | "53100" | "40001" | "57P01" | "57P02" | "57P03" | "25P03")
    )
}

/// The connection is gone, and with it the answer: the next look says what came of it.
pub(super) fn is_lost_connection(error: &DbErr) -> bool {
    db_error::sqlstate(error).is_none()
        || matches!(
            db_error::sqlstate(error).as_deref(),
            Some("57P01" | "57P02" | "57P03" | "08006" | "08003" | "25P03")
        )
}

pub(super) fn is_outage(error: &RunError) -> bool {
    matches!(error, RunError::Db(error) if is_lost_connection(error) || is_passing(error))
}
