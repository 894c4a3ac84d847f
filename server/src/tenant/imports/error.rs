//! What can go wrong with an import as a whole. Bad rows are no errors: they are told of.

use sea_orm::DbErr;
use serde_json::Value;

use super::model::Status;
use super::pricefile::FileError;
use crate::db::{Failure, failure_of};
use crate::http::{Code, Problem};
use crate::kernel::CursorError;
use crate::storage::{PutError, StorageError, is_full};
use crate::tenant::catalog::CatalogError;

/// Constraints that an import breaks only when somebody adds the same item or group, or removes a unit
/// or a group, after it has looked.
const BROKEN_BY_OTHERS: [&str; 6] = [
    "item_sku_key",
    "item_group_parent_id_name_key",
    "item_group_parent_id_fkey",
    "item_group_id_fkey",
    "item_base_unit_fkey",
    "item_price_unit_fkey",
];

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// There is no such import.
    #[error("import does not exist")]
    NotFound,
    /// There is no such profile.
    #[error("import profile does not exist")]
    ProfileNotFound,
    /// Another profile has the name.
    #[error("another import profile has this name")]
    ProfileNameTaken,
    /// A profile is at another version by now.
    #[error("it is at version {0} by now; read it again")]
    Changed(i64),
    /// It stands where this can't be done.
    #[error("the import is {}", .0.as_str())]
    StatusWrong(Status),
    /// Another import of this dealer is at work.
    #[error("another import of this dealer is at work")]
    Running,
    /// It ended so long ago that all but its numbers is gone.
    #[error("what it did row by row is not kept any more")]
    Forgotten,
    /// Another import came after it, and is to be undone first.
    #[error("another import was applied after this one")]
    NotLast,
    /// It has more rejected rows than were to be put up with.
    #[error("{0} rows are rejected, which is more than was allowed")]
    TooManyRejected(u64),
    /// The file, or its mapping, can't be used.
    #[error("the file can't be imported")]
    File(#[from] FileError),
    /// The upload isn't a form with a file, or one of its fields can't be understood.
    #[error("{0}")]
    Upload(String),
    /// The upload is larger than allowed; the limit in bytes.
    #[error("a price file may have at most {0} bytes")]
    TooLarge(u64),
    /// Somebody changed items, groups or units that the file needs in the same moment.
    #[error("the catalogue was changed at the same moment")]
    Raced,
    /// The file could not be kept, or not be found again.
    #[error("the file could not be kept")]
    Storage(#[from] StorageError),
    /// It was tried as often as may be.
    #[error("the server could not finish it")]
    GivenUp,
    /// It was to be taken back, and that was tried as often as may be.
    #[error("the server could not take all of it back")]
    LeftBehind,
    /// The cursor belongs to another list.
    #[error(transparent)]
    Cursor(#[from] CursorError),
    /// The catalogue refused.
    #[error("the catalogue refused")]
    Catalog(#[from] CatalogError),
    /// The database failed.
    #[error("the database failed")]
    Db(#[source] DbErr),
}

impl ImportError {
    /// Whether it would fail in the same way another time.
    pub(super) const fn is_final(&self) -> bool {
        match self {
            Self::File(FileError::Io(_))
            | Self::Raced
            | Self::Running
            | Self::Storage(_)
            | Self::Catalog(_)
            | Self::Db(_) => false,
            Self::NotFound
            | Self::ProfileNotFound
            | Self::ProfileNameTaken
            | Self::Changed(_)
            | Self::StatusWrong(_)
            | Self::NotLast
            | Self::Forgotten
            | Self::TooManyRejected(_)
            | Self::File(_)
            | Self::Upload(_)
            | Self::TooLarge(_)
            | Self::GivenUp
            | Self::LeftBehind
            | Self::Cursor(_) => true,
        }
    }

    /// Whether there is no room left for its file, here or in storage.
    pub(super) fn is_full(&self) -> bool {
        match self {
            Self::Storage(cause) => cause.is_full(),
            Self::File(FileError::Io(cause)) => is_full(cause),
            _ => false,
        }
    }

    /// As it is kept with the import: what a request would have been answered.
    pub(super) fn into_told(self) -> Value {
        serde_json::to_value(Problem::from(self).out()).unwrap_or_default()
    }
}

impl From<DbErr> for ImportError {
    fn from(error: DbErr) -> Self {
        match failure_of(&error) {
            Failure::Conflict => Self::Raced,
            Failure::Constraint(name) if BROKEN_BY_OTHERS.contains(&name.as_str()) => Self::Raced,
            Failure::Constraint(name) if name == "import_profile_name_key" => {
                Self::ProfileNameTaken
            }
            Failure::Constraint(name) if name == "import_one_at_work_idx" => Self::Running,
            _ => Self::Db(error),
        }
    }
}

impl From<PutError<ImportError>> for ImportError {
    fn from(error: PutError<ImportError>) -> Self {
        match error {
            PutError::TooLarge { limit } => Self::TooLarge(limit),
            PutError::Source(error) => error,
            PutError::Storage(error) => Self::Storage(error),
        }
    }
}

impl From<ImportError> for Problem {
    fn from(error: ImportError) -> Self {
        if error.is_full() {
            return Self::new(Code::StorageFull).because(format!("{error:?}"));
        }
        let code = match &error {
            ImportError::File(error) => return of_file(error),
            ImportError::Storage(cause) => return Self::internal(format!("{cause:?}")),
            ImportError::Db(error) => return Self::database(error),
            ImportError::Cursor(error) => return Self::from(error.clone()),
            ImportError::Catalog(_) => match error {
                ImportError::Catalog(error) => return error.into(),
                other => return Self::internal(other),
            },
            ImportError::GivenUp => Code::ImportGivenUp,
            ImportError::LeftBehind => Code::ImportLeftBehind,
            ImportError::NotFound => return Self::new(Code::ImportNotFound),
            ImportError::ProfileNotFound => return Self::new(Code::ImportProfileNotFound),
            ImportError::ProfileNameTaken => Code::ImportProfileNameTaken,
            ImportError::Changed(_) => Code::PreconditionFailed,
            ImportError::StatusWrong(_) => Code::ImportStatusWrong,
            ImportError::NotLast => Code::ImportNotLast,
            ImportError::Forgotten => Code::ImportForgotten,
            ImportError::TooManyRejected(_) => Code::ImportRejected,
            ImportError::Upload(_) => Code::UploadInvalid,
            ImportError::TooLarge(_) => Code::BodyTooLarge,
            ImportError::Raced => Code::Conflict,
            ImportError::Running => Code::ImportRunning,
        };
        Self::new(code).detail(error)
    }
}

fn of_file(error: &FileError) -> Problem {
    let code = match error {
        FileError::Io(cause) => return Problem::internal(cause),
        FileError::ColumnNotFound { .. }
        | FileError::SheetNotFound { .. }
        | FileError::InvalidMapping { .. } => Code::MappingInvalid,
        _ => Code::FileUnreadable,
    };
    Problem::new(code)
        .detail(error)
        .about_line(error.line(), error.code())
}
