//! Copies of tenants: into a folder, out of one, and beside the tenant itself.
//!
//! A folder holds `manifest.json` and one file for each table, as `COPY` writes it. It is written
//! under another name and renamed when it is complete and on the disk; it is believed only after
//! every file of it was read and found to be what the manifest says.

mod catalogue;
mod clone;
mod elsewhere;
mod export;
mod folder;
mod import;
mod look;
mod manifest;
mod mirror;
mod raise;
mod verify;
mod wire;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use entity::platform::tenant::Status;
use sea_orm::{ActiveEnum as _, DbErr};

pub use self::clone::{NewClone, People};
pub use self::export::Exported;
pub(crate) use self::export::{Source, write};
pub(crate) use self::folder::{beginning_with, belongs, remove};
pub use self::import::{Imported, NewImport};
pub(crate) use self::mirror::{Mirror, mirror};
pub(crate) use self::verify::verify;
use crate::lanes::LaneError;
use crate::nodes::ReachError;
use crate::transaction::Limits;
use crate::{CreateError, SchemaNameError};

/// A table is copied by one statement, however long it is.
const LIMITS: Limits = Limits {
    lock_timeout: Duration::from_secs(30),
    statement_timeout: Duration::from_secs(3600),
    silence: None,
};

/// Whoever has tables that can be read.
const READABLE: [Status; 4] = [
    Status::Active,
    Status::Suspended,
    Status::PastGrace,
    Status::Closing,
];

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// No tenant is called that.
    #[error("there is no tenant {0:?}")]
    NotFound(String),
    /// It has no tables, or not all of them.
    #[error("tenant {slug} is {}, so there is nothing of it to copy", is.to_value())]
    Standing {
        /// What people type.
        slug: String,
        /// Where it stands.
        is: Status,
    },
    /// Its tables are being dropped.
    #[error("tenant {0} is being archived, so some of its tables may be gone")]
    BeingArchived(String),
    /// There is something at that path already.
    #[error("{} exists already", .0.display())]
    Exists(PathBuf),
    /// Somebody is writing there right now.
    #[error("another export is being written to {}", .0.display())]
    BeingWritten(PathBuf),
    /// No room is left.
    #[error("no room is left on the disk that holds {}", .0.display())]
    DiskFull(PathBuf),
    /// A file could not be read or written.
    #[error("{} cannot be worked on", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        #[source]
        cause: io::Error,
    },
    /// A folder is not what was exported.
    #[error("{}: {what}", path.display())]
    Damaged {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The export stands at a migration that this build does not know.
    #[error(
        "the export stands at {0:?}, which this build does not know: it was made by a newer build"
    )]
    NewerBuild(String),
    /// Its migrations are known, and not in this order or not all.
    #[error("the migrations up to {0} were others than this build's")]
    History(String),
    /// The tables are not those of their version.
    #[error(
        "table {table:?} is not what version {version} makes of it: its structure was changed by \
         hand, or by another build"
    )]
    Structure {
        /// Which.
        table: String,
        /// The version it claims.
        version: String,
    },
    /// The new tenant could not be placed or made.
    #[error("the new tenant could not be made")]
    Create(#[from] CreateError),
    /// What tells who people are could not be taken out.
    #[error("the copy could not be anonymised")]
    Anonymise(#[source] DbErr),
    /// A table did not take its rows.
    #[error("the rows of table {table:?} could not be loaded")]
    Load {
        /// Which.
        table: String,
        /// What the database says.
        #[source]
        cause: DbErr,
    },
    /// The tenant's node could not be worked on.
    #[error("the tenant's node is out of reach")]
    Reach(#[from] ReachError),
    /// The directory holds a schema name that we would not have made.
    #[error("the directory holds an impossible schema")]
    Schema(#[from] SchemaNameError),
    /// A statement failed.
    #[error("the database failed")]
    Db(#[from] DbErr),
}

impl From<LaneError> for CopyError {
    fn from(error: LaneError) -> Self {
        CreateError::from(error).into()
    }
}

impl CopyError {
    fn file(path: &Path, cause: io::Error) -> Self {
        let path = path.to_owned();
        match cause.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull(path),
            _ => Self::File { path, cause },
        }
    }

    fn damaged(path: &Path, what: impl Into<String>) -> Self {
        Self::Damaged {
            path: path.to_owned(),
            what: what.into(),
        }
    }
}

/// Hex digits in lower case.
fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing into a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
