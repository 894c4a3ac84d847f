//! What a tenant's life and its copies can come to grief by.

use provisioner::copy::CopyError;
use provisioner::life::LifeError;

use super::{Failure, KNOWN_TENANTS, chain};

const UNTOUCHED: &str = "nothing was written; make the export again, or take another copy of it";

impl From<LifeError> for Failure {
    fn from(error: LifeError) -> Self {
        let message = chain(&error);
        match error {
            LifeError::NotFound(_) => Self::refused("not_found", message).hint(KNOWN_TENANTS),
            LifeError::Standing { .. } => Self::refused("wrong_status", message)
                .hint("tubex tenant show says where it stands"),
            LifeError::Reason(_) | LifeError::TooManyTags(_) => Self::usage(message),
            LifeError::SlugTaken(_) => Self::refused("slug_taken", message)
                .hint("choose another slug, or see who has it with tubex tenant show"),
            LifeError::Held { .. } => Self::refused("legal_hold", message)
                .hint("whoever put it under hold ends that with tubex tenant release"),
            LifeError::BeingArchived(_) => Self::refused("being_archived", message)
                .hint("finish it with tubex tenant archive; tubex tenant import makes a new one"),
            LifeError::KeepUntil { .. } => {
                Self::refused("keep_until", message).hint("run the same command after that time")
            }
            LifeError::ExportMissing { .. } => Self::refused("export_missing", message)
                .hint("run this on the machine where the export lies, with its disk in place"),
            LifeError::Stranger(_) => Self::refused("not_an_export", message)
                .hint("move it away, and run the same command again"),
            LifeError::BeingMade(_) => Self::refused("being_created", message)
                .hint("wait until that has ended, then see tubex tenant show"),
            LifeError::Export(cause) => Self::from_copy(*cause, message),
            LifeError::File { .. } => Self::stuck("file", message),
            LifeError::Reach(cause) => Self::from_reach(&cause, message),
            LifeError::Lane(cause) => Self::from_lane(&cause, message),
            LifeError::Db(cause) => Self::from_db(&cause, message),
        }
    }
}

impl From<CopyError> for Failure {
    fn from(error: CopyError) -> Self {
        let message = chain(&error);
        Self::from_copy(error, message)
    }
}

impl Failure {
    fn from_copy(error: CopyError, message: String) -> Self {
        match error {
            CopyError::NotFound(_) => Self::refused("not_found", message).hint(KNOWN_TENANTS),
            CopyError::Standing { .. } => Self::refused("wrong_status", message)
                .hint("tubex tenant show says where it stands; tubex tenant exports what is kept"),
            CopyError::BeingArchived(_) => Self::refused("being_archived", message)
                .hint("finish that with tubex tenant archive; its export is the copy"),
            CopyError::Exists(_) => Self::refused("folder_exists", message)
                .hint("name a folder that does not exist; nothing is written over"),
            CopyError::BeingWritten(_) => Self::refused("busy", message)
                .hint("wait until that has ended, or name another folder"),
            CopyError::DiskFull(_) => Self::stuck("disk_full", message)
                .hint("make room or name another disk; what was written is removed"),
            CopyError::File { .. } => Self::stuck("file", message)
                .hint("is the path right, and may this account read and write there?"),
            CopyError::Damaged { .. } => Self::refused("export_damaged", message).hint(UNTOUCHED),
            CopyError::NewerBuild(_) => Self::refused("newer_build", message)
                .hint("use a tubex at least as new as the one that made it"),
            CopyError::History(_) | CopyError::Structure { .. } => {
                Self::refused("other_structure", message).hint(
                    "nothing was written; it can be read into a database by hand, table by table",
                )
            }
            CopyError::Create(cause) => cause.into(),
            CopyError::Anonymise(_) => Self::refused("anonymise_failed", message),
            CopyError::Load { .. } => Self::refused("load_failed", message),
            CopyError::Reach(cause) => Self::from_reach(&cause, message),
            CopyError::Schema(_) => Self::refused("database", message),
            CopyError::Db(cause) => Self::from_db(&cause, message),
        }
    }
}
