//! What can go wrong with jobs.

use sea_orm::DbErr;

use crate::http::{Code, Problem};
use crate::kernel::CursorError;

/// What can go wrong with jobs.
#[derive(Debug, thiserror::Error)]
pub enum JobsError {
    /// There is no such job, or it was done and forgotten.
    #[error("job does not exist")]
    NotFound,
    /// It stands where this can't be done to it.
    #[error("a job that is {0} can't be changed like this")]
    Standing(String),
    /// The cursor belongs to another list.
    #[error(transparent)]
    Cursor(#[from] CursorError),
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] DbErr),
}

impl From<JobsError> for Problem {
    fn from(error: JobsError) -> Self {
        match &error {
            JobsError::NotFound => Self::new(Code::JobNotFound),
            JobsError::Standing(_) => Self::new(Code::JobStateWrong).detail(error),
            JobsError::Cursor(error) => Self::from(error.clone()),
            JobsError::Db(error) => Self::database(error),
        }
    }
}
