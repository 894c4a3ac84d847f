//! What the database said, by SQLSTATE and constraint name; never by its message.

use sea_orm::{DbErr, RuntimeErr};
use sqlx::error::DatabaseError;

/// Permission denied.
pub(crate) const INSUFFICIENT_PRIVILEGE: &str = "42501";
/// A lock was not to be had within `lock_timeout`.
pub(crate) const LOCK_NOT_AVAILABLE: &str = "55P03";
/// Two transactions waited for each other, and this one was ended.
const DEADLOCK: &str = "40P01";
const UNDEFINED_TABLE: &str = "42P01";
const INVALID_SCHEMA: &str = "3F000";
const INTERNAL: &str = "XX000";
const UNIQUE_VIOLATION: &str = "23505";
const DUPLICATE_OBJECT: &str = "42710";

/// The SQLSTATE of a failure, when the database itself refused.
pub(crate) fn sqlstate(error: &DbErr) -> Option<String> {
    from_database(error)?
        .code()
        .map(std::borrow::Cow::into_owned)
}

/// The name of the constraint that was violated.
pub(crate) fn constraint(error: &DbErr) -> Option<&str> {
    from_database(error)?.constraint()
}

/// The database's own words with their SQLSTATE; without the place in Postgres' own source code
/// that sqlx adds to them. Other failures say what they say.
pub fn describe(error: &DbErr) -> String {
    let Some(refusal) = from_database(error) else {
        return error.to_string();
    };
    match refusal.code() {
        Some(code) => format!("{} (SQLSTATE {code})", refusal.message()),
        None => refusal.message().to_owned(),
    }
}

/// What a failure of the database asks of its reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The platform was never migrated.
    NoPlatform,
    /// The role that we are lacks a right.
    Denied,
    /// A lock was not to be had in time, or two waited for each other; trying again is the cure.
    Busy,
    /// Anything else.
    Other,
}

/// Sorts a failure by what can be done about it.
pub fn trouble(error: &DbErr) -> Trouble {
    match sqlstate(error).as_deref() {
        Some(UNDEFINED_TABLE | INVALID_SCHEMA) => Trouble::NoPlatform,
        Some(INSUFFICIENT_PRIVILEGE) => Trouble::Denied,
        Some(LOCK_NOT_AVAILABLE | DEADLOCK) => Trouble::Busy,
        _ => Trouble::Other,
    }
}

/// Whether the directory is not there: the platform was never migrated.
pub(crate) fn is_missing_platform(error: &DbErr) -> bool {
    matches!(
        sqlstate(error).as_deref(),
        Some(UNDEFINED_TABLE | INVALID_SCHEMA)
    )
}

/// Whether `CREATE EXTENSION` found no files: up to Postgres 15 a missing file, later a feature
/// that is not supported.
pub(crate) fn is_missing_extension(error: &DbErr) -> bool {
    matches!(sqlstate(error).as_deref(), Some("58P01" | "0A000"))
}

/// Whether two programs met at an object of the cluster, which no lock of one database can order:
/// a role being made or altered from two databases at once. Trying again is the cure.
pub(crate) fn is_cluster_race(error: &DbErr) -> bool {
    matches!(
        sqlstate(error).as_deref(),
        Some(INTERNAL | UNIQUE_VIOLATION | DUPLICATE_OBJECT)
    )
}

fn from_database(error: &DbErr) -> Option<&(dyn DatabaseError + 'static)> {
    let (DbErr::Conn(RuntimeErr::SqlxError(cause))
    | DbErr::Exec(RuntimeErr::SqlxError(cause))
    | DbErr::Query(RuntimeErr::SqlxError(cause))) = error
    else {
        return None;
    };
    match cause.as_ref() {
        sqlx::Error::Database(refusal) => Some(refusal.as_ref()),
        _ => None,
    }
}
