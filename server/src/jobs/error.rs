//! Why a job was not done.

use std::time::Duration;

use sea_orm::DbErr;

use crate::db::is_job_lost;

/// Why a job was not done, and what is to become of it.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// It may go well another time.
    #[error("{cause}")]
    Retry {
        /// Why, for people; it is kept with the job.
        cause: String,
        /// When, if whoever refused said so; else after a while that grows.
        after: Option<Duration>,
    },
    /// It can't go well, however often: a dead letter at once.
    #[error("{0}")]
    Discard(String),
    /// Somebody else has it by now: nothing of this attempt counts.
    #[error("the job is no longer ours")]
    Lost,
}

impl JobError {
    /// It may go well another time.
    pub fn retry(cause: impl ToString) -> Self {
        Self::Retry {
            cause: cause.to_string(),
            after: None,
        }
    }

    /// It can't go well.
    pub fn discard(cause: impl ToString) -> Self {
        Self::Discard(cause.to_string())
    }
}

impl From<DbErr> for JobError {
    fn from(error: DbErr) -> Self {
        if is_job_lost(&error) {
            Self::Lost
        } else {
            Self::retry(error)
        }
    }
}
