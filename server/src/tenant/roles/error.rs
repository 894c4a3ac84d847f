//! What can go wrong with roles.

use sea_orm::DbErr;

use crate::db::{Failure, failure_of};
use crate::kernel::CursorError;

/// What can go wrong with roles.
#[derive(Debug, thiserror::Error)]
pub enum RoleError {
    /// There is no such role of the dealer's own.
    #[error("role does not exist")]
    NotFound,
    /// Another role has this name.
    #[error("another role has this name")]
    NameTaken,
    /// Members have it, or are invited to it.
    #[error("members have the role, or are invited to it; give them another one first")]
    InUse,
    /// Whoever asks holds less than the role allows or is to allow.
    #[error("the role would allow {0}, which you don't hold as far as that")]
    TooWide(String),
    /// It is at another version by now.
    #[error("it is at version {0} by now; read it again")]
    Changed(i64),
    /// The cursor belongs to another list.
    #[error(transparent)]
    Cursor(#[from] CursorError),
    /// The database failed.
    #[error("the database failed")]
    Db(DbErr),
}

impl From<DbErr> for RoleError {
    /// The constraints are the rules; their names say which of them was broken.
    fn from(error: DbErr) -> Self {
        let Failure::Constraint(name) = failure_of(&error) else {
            return Self::Db(error);
        };
        match name.as_str() {
            "role_name_key" => Self::NameTaken,
            "member_role_id_fkey" => Self::InUse,
            _ => Self::Db(error),
        }
    }
}
