//! What can go wrong with a run, and how to mend it.

use provisioner::RunError;

use super::{Failure, KNOWN_TENANTS, NEEDS_PLATFORM, chain};

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        let message = chain(&error);
        match error {
            RunError::NoMigrations => Self::refused("no_migrations", message),
            RunError::Undeclared(_) => Self::refused("undeclared", message)
                .hint("let the product declare it: see the provisioner's README"),
            RunError::Broken { .. } => Self::refused("migration_broken", message)
                .hint("mend the migration; nobody was touched"),
            RunError::DependsOnRows { .. } => Self::refused("depends_on_rows", message)
                .hint("make it a back-fill: what it says must be the same for every tenant"),
            RunError::OneWay { .. } => Self::refused("one_way", message)
                .hint("write a migration that leads forwards to where you want to be"),
            RunError::UnknownVersion(_) => {
                Self::refused("unknown_version", message).hint("use the build that knows it")
            }
            RunError::Options(_) => Self::usage(message),
            RunError::InProgress { run, .. } => Self::refused("in_progress", message).hint(
                format!("see tubex runs show {run}; end it with tubex runs cancel {run}"),
            ),
            RunError::NotFound(_) => {
                Self::refused("run_not_found", message).hint("tubex runs list shows them")
            }
            RunError::Standing { run, .. } => {
                Self::refused("run_standing", message).hint(format!("see tubex runs show {run}"))
            }
            RunError::NoPlace { .. } => Self::refused("not_in_run", message).hint(KNOWN_TENANTS),
            RunError::PlaceStanding { .. } => Self::refused("place_standing", message),
            RunError::Needed { servers, since, .. } => {
                let servers = servers.join("; ");
                Self::refused("needed_by_servers", message).hint(format!(
                    "they are: {servers}. Deploy a build that knows {since} first, go only as far \
                     as --to says, or take the risk with --force"
                ))
            }
            RunError::NothingToRevert(_) => Self::refused("nothing_to_revert", message),
            RunError::IsRollback(_) => Self::refused("nothing_to_revert", message)
                .hint("tubex runs list shows which others there are; tubex migrate goes forwards"),
            RunError::Reach(cause) => Self::from_reach(&cause, message),
            RunError::NoPlatform(_) => Self::stuck("no_platform", message).hint(NEEDS_PLATFORM),
            RunError::Random(_) => Self::stuck("no_randomness", message),
            RunError::Schema(_) | RunError::Kept(_) | RunError::Db(_) => {
                Self::refused("database", message)
            }
        }
    }
}
