//! Why a file could not be kept or found.

use std::error::Error;
use std::io;

/// Why a file could not be kept or found.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// There is none of this name.
    #[error("the file is not there")]
    Missing,
    /// The disk has no room left.
    #[error("there is no room for the file")]
    Full(#[source] object_store::Error),
    /// The disk or the bucket doesn't do what is asked of it.
    #[error("the storage failed")]
    Failed(#[source] object_store::Error),
    /// Our own scratch file failed.
    #[error("a temporary file failed")]
    Scratch(#[from] io::Error),
}

/// Why a stream could not be kept.
#[derive(Debug, thiserror::Error)]
pub enum PutError<E> {
    /// It is longer than it may be.
    #[error("the file is longer than {limit} bytes")]
    TooLarge {
        /// How long it may be.
        limit: u64,
    },
    /// It broke off.
    #[error("the file did not arrive")]
    Source(E),
    /// It arrived, and could not be kept.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl<E> From<object_store::Error> for PutError<E> {
    fn from(error: object_store::Error) -> Self {
        Self::Storage(error.into())
    }
}

impl From<object_store::Error> for StorageError {
    fn from(error: object_store::Error) -> Self {
        match error {
            object_store::Error::NotFound { .. } => Self::Missing,
            error if is_full(&error) => Self::Full(error),
            error => Self::Failed(error),
        }
    }
}

impl StorageError {
    /// Whether there is no room left, where that is.
    pub fn is_full(&self) -> bool {
        match self {
            Self::Full(_) => true,
            Self::Scratch(error) => is_full(error),
            Self::Missing | Self::Failed(_) => false,
        }
    }
}

/// Whether an error comes of a disk that has no room left. The system's own lies at the bottom of its
/// chain: nobody in between has a word for it.
pub fn is_full(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<io::Error>()
            && matches!(
                error.kind(),
                io::ErrorKind::StorageFull
                    | io::ErrorKind::QuotaExceeded
                    | io::ErrorKind::FileTooLarge
            )
        {
            return true;
        }
        cause = error.source();
    }
    false
}
