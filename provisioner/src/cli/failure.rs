//! What went wrong, for people and for machines, and the exit code that goes with it.

use std::error::Error;
use std::process::ExitCode;

use provisioner::lanes::LaneError;
use provisioner::platform::PlatformError;
use provisioner::{CreateError, DirectoryError, DomainError, MigrateError, describe_db_error};
use sea_orm::DbErr;
use serde_json::json;

use super::output;

/// A failed command. `code` is stable; `message` and `hint` are for people.
#[derive(Debug)]
pub(crate) struct Failure {
    code: &'static str,
    message: String,
    hint: Option<String>,
    exit: u8,
}

impl Failure {
    /// The request was understood and refused, or it failed: exit code 1.
    pub(crate) fn refused(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            hint: None,
            exit: 1,
        }
    }

    /// Nothing could be begun: exit code 2.
    pub(crate) fn stuck(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            hint: None,
            exit: 2,
        }
    }

    /// The command line was wrong: exit code 2.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::stuck("usage", message)
    }

    /// Says how to mend it.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Prints it on standard error.
    pub(crate) fn report(&self, json: bool) -> ExitCode {
        if json {
            let error = json!({
                "code": self.code,
                "message": self.message,
                "hint": self.hint,
            });
            output::complain(&json!({ "error": error }).to_string());
        } else {
            output::complain(&format!("error: {}", self.message));
            if let Some(hint) = &self.hint {
                output::complain(&format!("hint: {hint}"));
            }
        }
        ExitCode::from(self.exit)
    }
}

/// An error with its causes, each said once: some texts already contain their cause's.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<DbErr>() {
            // What lies below says the same in more and less clear words.
            return format!("{text}: {}", describe_db_error(error));
        }
        let next = error.to_string();
        if !text.contains(&next) {
            text = format!("{text}: {next}");
        }
        cause = error.source();
    }
    text
}

const NEEDS_PLATFORM: &str = "run tubex platform migrate first";
const NEEDS_RIGHTS: &str =
    "connect as the role that owns the platform; it needs CREATEROLE and CREATE on the database";

impl From<CreateError> for Failure {
    fn from(error: CreateError) -> Self {
        let message = chain(&error);
        match error {
            CreateError::SlugTaken(_) => Self::refused("slug_taken", message)
                .hint("choose another slug, or see who has it with tubex tenant show"),
            CreateError::Seed(_) => Self::refused("seed_failed", message),
            CreateError::Migration(_) => Self::refused("migration_failed", message)
                .hint("this build's migrations don't run on an empty schema; nothing was made"),
            CreateError::NoMigrations => Self::refused("no_migrations", message),
            CreateError::Lane(cause) => Self::from_lane(&cause, message),
            CreateError::NoPlatform(_) => Self::stuck("no_platform", message).hint(NEEDS_PLATFORM),
            CreateError::Denied(_) => Self::stuck("denied", message).hint(NEEDS_RIGHTS),
            CreateError::Random(_) => Self::stuck("no_randomness", message),
            CreateError::Db(_) => Self::refused("database", message),
        }
    }
}

impl From<DirectoryError> for Failure {
    fn from(error: DirectoryError) -> Self {
        let message = chain(&error);
        match error {
            DirectoryError::NotFound(_) => {
                Self::refused("not_found", message).hint("tubex tenant list shows who is there")
            }
            DirectoryError::NoPlatform(_) => {
                Self::stuck("no_platform", message).hint(NEEDS_PLATFORM)
            }
            DirectoryError::Db(_) => Self::stuck("database", message).hint(NEEDS_RIGHTS),
        }
    }
}

impl From<DomainError> for Failure {
    fn from(error: DomainError) -> Self {
        let message = chain(&error);
        match error {
            DomainError::Tenant(cause) => cause.into(),
            DomainError::NotClaimed { .. } => {
                Self::refused("not_claimed", message).hint("claim it first with tubex domain add")
            }
            DomainError::NotProven { found, .. } => {
                let stands_there = if found.is_empty() {
                    "nothing stands there".to_owned()
                } else {
                    format!("what stands there: {}", found.join(", "))
                };
                Self::refused("not_proven", message).hint(format!(
                    "{stands_there}. A new record may take as long to be seen as the old one's TTL; \
                     --resolver asks the responsible server itself"
                ))
            }
            DomainError::Taken(_) => Self::refused("domain_taken", message)
                .hint("whoever controls the domain's DNS removes the other record first"),
            DomainError::Dns(_) => Self::stuck("dns", message)
                .hint("try again later, or ask another server with --resolver IP:PORT"),
            DomainError::Random(_) => Self::stuck("no_randomness", message),
            DomainError::Db(_) => Self::refused("database", message),
        }
    }
}

impl From<MigrateError> for Failure {
    fn from(error: MigrateError) -> Self {
        let message = chain(&error);
        match error {
            MigrateError::NoMigrations => Self::refused("no_migrations", message),
            MigrateError::NoPlatform(_) => Self::stuck("no_platform", message).hint(NEEDS_PLATFORM),
            MigrateError::Busy(_) => Self::refused("busy", message).hint("run it again"),
            MigrateError::Schema(_) | MigrateError::Db(_) => Self::refused("database", message),
        }
    }
}

impl From<PlatformError> for Failure {
    fn from(error: PlatformError) -> Self {
        let message = chain(&error);
        let (is_denied, lacks_extension) = (error.is_denied(), error.is_missing_extension());
        match error {
            PlatformError::OldPostgres(_) => {
                Self::stuck("old_postgres", message).hint("use Postgres 15 or newer")
            }
            PlatformError::Secret(_) => Self::usage(message),
            PlatformError::Fence(report) => Self::stuck("fence", message).hint(format!(
                "nothing was changed. Run this once as a superuser in this database, then try \
                 again; or go on without with --allow-partial-fence\n\n{}",
                report.remedy()
            )),
            PlatformError::Lane(cause) => Self::from_lane(&cause, message),
            PlatformError::Db(_) if lacks_extension => Self::stuck("no_extension", message)
                .hint("install pg_trgm and unaccent on the server (package postgresql-contrib)"),
            PlatformError::Db(_) if is_denied => Self::stuck("denied", message).hint(NEEDS_RIGHTS),
            PlatformError::Db(_) => Self::refused("database", message),
        }
    }
}

impl Failure {
    fn from_lane(cause: &LaneError, message: String) -> Self {
        match cause {
            LaneError::NoNode => Self::stuck("no_node", message).hint(NEEDS_PLATFORM),
            LaneError::TooMighty(_) => Self::stuck("role_too_mighty", message),
            LaneError::Random(_) => Self::stuck("no_randomness", message),
            LaneError::Login(_) | LaneError::Db(_) => Self::refused("database", message),
        }
    }
}
