//! What can go wrong with people.

use sea_orm::DbErr;

use crate::auth::{AuthError, Unfit};
use crate::db::{Failure, failure_of};
use crate::kernel::CursorError;

/// What can go wrong with people.
#[derive(Debug, thiserror::Error)]
pub enum TeamError {
    /// There is no such member, or not within reach.
    #[error("member does not exist")]
    MemberNotFound,
    /// There is no such invitation, or not within reach.
    #[error("invitation does not exist")]
    InvitationNotFound,
    /// A field names a role that isn't there.
    #[error("there is no such role")]
    UnknownRole,
    /// A field names a branch that isn't there.
    #[error("there is no such branch")]
    UnknownBranch,
    /// A text is no mail address.
    #[error("{1}")]
    NoEmail(&'static str, crate::kernel::EmailError),
    /// A member of the team has the address.
    #[error("a member of the team has this address")]
    EmailTaken,
    /// An invitation to the address stands.
    #[error("an invitation to this address stands; send it again or take it back")]
    AlreadyInvited,
    /// Nobody would be left who may do everything.
    #[error("the team needs an owner who can sign in: make somebody else one first")]
    LastOwner,
    /// An owner is to be made, or to be one no more, by somebody who is none.
    #[error("only an owner makes an owner, changes one or unmakes one")]
    OwnersOnly,
    /// More would be given, or taken from somebody, than whoever asks holds.
    #[error("it takes somebody who holds at least as much")]
    GrantsTooMuch,
    /// The place is none that whoever asks may put people in.
    #[error("your role reaches over your own branch only")]
    OutOfReach,
    /// The token of a link is unknown, used, out of date or void.
    #[error("the link is not valid any more; ask for another one")]
    TokenInvalid,
    /// The password that was given as the present one is another.
    #[error("it is not your password")]
    WrongPassword,
    /// The new password can't be one.
    #[error("{1}")]
    Unfit(&'static str, Unfit),
    /// They are no member there, or one of the two addresses was never proven.
    #[error("there is no dealer of yours with this id")]
    NotThere,
    /// This session, or the other dealer's rules, don't allow it.
    #[error("{0}")]
    SwitchRefused(&'static str),
    /// It is at another version by now.
    #[error("it is at version {0} by now; read it again")]
    Changed(i64),
    /// Whoever asks is not let in.
    #[error(transparent)]
    Auth(AuthError),
    /// The cursor belongs to another list.
    #[error(transparent)]
    Cursor(#[from] CursorError),
    /// The database failed.
    #[error("the database failed")]
    Db(DbErr),
}

impl From<DbErr> for TeamError {
    /// The constraints are the rules; their names say which of them was broken.
    fn from(error: DbErr) -> Self {
        let Failure::Constraint(name) = failure_of(&error) else {
            return Self::Db(error);
        };
        match name.as_str() {
            "member_email_key" => Self::EmailTaken,
            "invitation_email_idx" => Self::AlreadyInvited,
            "member_role_id_fkey" | "invitation_role_id_fkey" => Self::UnknownRole,
            "member_branch_id_fkey" | "invitation_branch_id_fkey" => Self::UnknownBranch,
            _ => Self::Db(error),
        }
    }
}

impl From<AuthError> for TeamError {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::Db(error) => error.into(),
            other => Self::Auth(other),
        }
    }
}

/// Insists on the version that a change is based on.
pub(super) fn expect_version(expected: Option<i64>, actual: i64) -> Result<(), TeamError> {
    match expected {
        Some(version) if version != actual => Err(TeamError::Changed(actual)),
        _ => Ok(()),
    }
}
