//! What can go wrong with second factors.

use sea_orm::DbErr;

use crate::auth::{AuthError, Unsealable};

/// What can go wrong with second factors.
#[derive(Debug, thiserror::Error)]
pub enum SecondFactorError {
    /// There is one already, in use.
    #[error("there is a second factor already")]
    Exists,
    /// There is none, or none that waits for its first code.
    #[error("there is no second factor")]
    NotFound,
    /// The member isn't there.
    #[error("there is no such member")]
    NoSuchMember,
    /// Only an owner may touch an owner's.
    #[error("an owner's second factor is for owners to reset")]
    OwnersOnly,
    /// The code is wrong, or was used before.
    #[error("the code is not right")]
    Wrong,
    /// The challenge is unknown, over, or another member's.
    #[error("the challenge is over")]
    ChallengeOver,
    /// The policy was changed by somebody else.
    #[error("the setting is at version {0} by now; read it again")]
    Changed(i64),
    /// Something that should not happen.
    #[error("a second factor could not be worked with")]
    Broken(String),
    /// No session could be begun.
    #[error("no session could be begun")]
    Auth(#[from] AuthError),
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] DbErr),
}

impl From<Unsealable> for SecondFactorError {
    fn from(error: Unsealable) -> Self {
        Self::Broken(error.to_string())
    }
}
