//! What went wrong, for people and for machines, and the exit code that goes with it.

mod check;
mod life;
mod runs;

use std::error::Error;
use std::fmt;
use std::process::ExitCode;

use provisioner::fence::FenceReport;
use provisioner::lanes::LaneError;
use provisioner::nodes::{NodeError, ReachError};
use provisioner::operators::OperatorError;
use provisioner::plans::PlanError;
use provisioner::platform::PlatformError;
use provisioner::{
    CreateError, DirectoryError, DomainError, Trouble, db_trouble, describe_db_error,
};
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
            output::complain(&json!({ "error": self.to_json() }).to_string());
        } else {
            output::complain(&format!("error: {}", self.message));
            if let Some(hint) = &self.hint {
                output::complain(&format!("hint: {hint}"));
            }
        }
        ExitCode::from(self.exit)
    }
}

/// What went wrong and how to mend it, on one line.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, " (hint: {hint})"),
            None => Ok(()),
        }
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
const KNOWN_TENANTS: &str = "tubex tenant list shows who is there";
const KNOWN_PLANS: &str = "tubex plan list shows them; tubex plan set makes one";

impl From<CreateError> for Failure {
    fn from(error: CreateError) -> Self {
        let message = chain(&error);
        match error {
            CreateError::SlugTaken(_) => Self::refused("slug_taken", message)
                .hint("choose another slug, or see who has it with tubex tenant show"),
            CreateError::BeingCreated(_) => Self::refused("being_created", message)
                .hint("wait until that has ended, then see tubex tenant show"),
            CreateError::HalfMade { node, .. } => Self::refused("half_made", message).hint(
                format!("finish it where it was begun, with --node {node} and without --lane"),
            ),
            CreateError::Unfinished { .. } => {
                Self::refused("unfinished", message).hint("run the same command again to finish it")
            }
            CreateError::NoPlan(_) => Self::refused("plan_not_found", message).hint(KNOWN_PLANS),
            CreateError::Reach(cause) => Self::from_reach(&cause, message),
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
            DirectoryError::NotFound(_) => Self::refused("not_found", message).hint(KNOWN_TENANTS),
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
            DomainError::Db(cause) => Self::from_db(&cause, message),
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
            PlatformError::Fence(report) => Self::from_fence(&report, message, "this database"),
            PlatformError::Lane(cause) => Self::from_lane(&cause, message),
            PlatformError::Db(_) if lacks_extension => Self::stuck("no_extension", message)
                .hint("install pg_trgm and unaccent on the server (package postgresql-contrib)"),
            PlatformError::Db(_) if is_denied => Self::stuck("denied", message).hint(NEEDS_RIGHTS),
            PlatformError::Db(_) => Self::refused("database", message),
        }
    }
}

impl From<LaneError> for Failure {
    fn from(error: LaneError) -> Self {
        let message = chain(&error);
        Self::from_lane(&error, message)
    }
}

impl From<NodeError> for Failure {
    fn from(error: NodeError) -> Self {
        let message = chain(&error);
        let lacks_extension = error.is_missing_extension();
        match error {
            NodeError::NameTaken(_) => Self::refused("node_taken", message)
                .hint("choose another name; tubex node list shows those that are taken"),
            NodeError::AddressTaken(_) => Self::refused("node_address_taken", message)
                .hint("tubex node list shows where they are"),
            NodeError::HasPlatform => Self::refused("node_has_platform", message)
                .hint("name another database, one that is empty"),
            NodeError::OldPostgres(_) => {
                Self::stuck("old_postgres", message).hint("use Postgres 15 or newer")
            }
            NodeError::Fence(report) => Self::from_fence(&report, message, "the node's database"),
            NodeError::Reach(cause) => Self::from_reach(&cause, message),
            NodeError::Lane(cause) => Self::from_lane(&cause, message),
            NodeError::Db(_) if lacks_extension => Self::stuck("no_extension", message)
                .hint("install pg_trgm and unaccent on the node (package postgresql-contrib)"),
            NodeError::Db(cause) => Self::from_db(&cause, message),
        }
    }
}

impl From<PlanError> for Failure {
    fn from(error: PlanError) -> Self {
        let message = chain(&error);
        match error {
            PlanError::NotFound(_) => Self::refused("plan_not_found", message).hint(KNOWN_PLANS),
            PlanError::NoTenant(_) => Self::refused("not_found", message).hint(KNOWN_TENANTS),
            PlanError::OutOfRange { .. } => Self::usage(message),
            PlanError::Db(cause) => Self::from_db(&cause, message),
        }
    }
}

impl From<OperatorError> for Failure {
    fn from(error: OperatorError) -> Self {
        let message = chain(&error);
        match error {
            OperatorError::EmailTaken(_) => Self::refused("operator_taken", message)
                .hint("tubex operator set changes what somebody may do"),
            OperatorError::NotFound(_) => {
                Self::refused("operator_not_found", message).hint("tubex operator list shows them")
            }
            OperatorError::LastAdmin(_) => Self::refused("last_admin", message)
                .hint("make somebody else admin first, with tubex operator add or set"),
            OperatorError::Db(cause) => Self::from_db(&cause, message),
        }
    }
}

impl Failure {
    pub(super) fn from_lane(cause: &LaneError, message: String) -> Self {
        match cause {
            LaneError::NoNode => Self::stuck("no_node", message).hint(NEEDS_PLATFORM),
            LaneError::UnknownNode(_) => Self::refused("node_not_found", message)
                .hint("tubex node list shows them; tubex node add adds one"),
            LaneError::NotFound(_) => {
                Self::refused("lane_not_found", message).hint("tubex lane list shows them")
            }
            LaneError::NoTenant(_) => Self::refused("not_found", message).hint(KNOWN_TENANTS),
            LaneError::Full(_) => Self::refused("lane_full", message)
                .hint("raise its capacity with tubex lane set, or choose another lane"),
            LaneError::Retiring(_) => Self::refused("lane_retiring", message)
                .hint("choose another lane; tubex lane list shows them"),
            LaneError::Elsewhere { .. } => Self::refused("lane_elsewhere", message)
                .hint("moving a tenant to another node comes later; choose a lane of its node"),
            LaneError::NoOtherLane(_) => Self::refused("no_other_lane", message)
                .hint("add one with tubex lane add, or give the tenant its own with --dedicated"),
            LaneError::BelowHeld { .. } => Self::refused("lane_holds_more", message)
                .hint("move some of its tenants to other lanes first, with tubex lane move"),
            LaneError::InUse(_) => Self::refused("busy", message).hint("run it again"),
            LaneError::Foreign { role, login } => Self::stuck("foreign_membership", message).hint(
                format!("run as a superuser: REVOKE {role} FROM {login} CASCADE;"),
            ),
            LaneError::TooMighty(_) => Self::stuck("role_too_mighty", message),
            LaneError::Reach(cause) => Self::from_reach(cause, message),
            LaneError::Random(_) => Self::stuck("no_randomness", message),
            LaneError::Login(_) | LaneError::Schema(_) => Self::refused("database", message),
            LaneError::Db(cause) => Self::from_db(cause, message),
        }
    }

    pub(super) fn from_reach(cause: &ReachError, message: String) -> Self {
        match cause {
            ReachError::NoConnector(_) => Self::stuck("no_connector", message),
            ReachError::Address => Self::usage(message),
            ReachError::Unreachable { .. } => Self::stuck("node_unreachable", message).hint(
                "is the node up, does it take connections from here, and does the platform's \
                 login and password work there too? tubex node list shows its address",
            ),
        }
    }

    fn from_fence(report: &FenceReport, message: String, place: &str) -> Self {
        Self::stuck("fence", message).hint(format!(
            "nothing was changed. Run this once as a superuser in {place}, then try again; or go \
             on without with --allow-partial-fence\n\n{}",
            report.remedy()
        ))
    }

    pub(super) fn from_db(cause: &DbErr, message: String) -> Self {
        match db_trouble(cause) {
            Trouble::NoPlatform => Self::stuck("no_platform", message).hint(NEEDS_PLATFORM),
            Trouble::Denied => Self::stuck("denied", message).hint(NEEDS_RIGHTS),
            Trouble::Busy => Self::refused("busy", message).hint("run it again"),
            Trouble::Other => Self::refused("database", message),
        }
    }

    /// For machines, as part of a larger answer.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        json!({ "code": self.code, "message": self.message, "hint": self.hint })
    }
}
