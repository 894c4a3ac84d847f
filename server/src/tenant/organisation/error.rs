//! What can go wrong with branches and teams.

use sea_orm::DbErr;
use uuid::Uuid;

use crate::db::{Failure, failure_of};
use crate::kernel::CursorError;

/// What can go wrong with branches and teams.
#[derive(Debug, thiserror::Error)]
pub enum OrganisationError {
    /// There is no such branch.
    #[error("branch does not exist")]
    BranchNotFound,
    /// There is no such team.
    #[error("team does not exist")]
    TeamNotFound,
    /// There is no such member.
    #[error("member does not exist")]
    MemberNotFound,
    /// A field names a branch that isn't there.
    #[error("there is no branch {0}")]
    UnknownBranch(Uuid),
    /// Another branch has this name.
    #[error("another branch has this name")]
    BranchNameTaken,
    /// Another team has this name.
    #[error("another team has this name")]
    TeamNameTaken,
    /// Members or teams still belong to it.
    #[error("members or teams still belong to the branch; move them first")]
    BranchInUse,
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

impl From<DbErr> for OrganisationError {
    /// The constraints are the rules; their names say which of them was broken.
    fn from(error: DbErr) -> Self {
        let Failure::Constraint(name) = failure_of(&error) else {
            return Self::Db(error);
        };
        match name.as_str() {
            "branch_name_key" => Self::BranchNameTaken,
            "team_name_key" => Self::TeamNameTaken,
            "team_branch_id_fkey" | "member_branch_id_fkey" => Self::BranchInUse,
            "team_member_team_id_fkey" => Self::TeamNotFound,
            "team_member_member_id_fkey" => Self::MemberNotFound,
            _ => Self::Db(error),
        }
    }
}

/// Insists on the version that a change is based on.
pub(super) fn expect_version(expected: Option<i64>, actual: i64) -> Result<(), OrganisationError> {
    match expected {
        Some(version) if version != actual => Err(OrganisationError::Changed(actual)),
        _ => Ok(()),
    }
}
