//! What the library's refusals are on the wire. Operators may know what is wrong, so its own words
//! go out as the detail; what the database said does not.

use provisioner::copy::CopyError;
use provisioner::lanes::LaneError;
use provisioner::life::LifeError;
use provisioner::nodes::{NodeError, ReachError};
use provisioner::plans::PlanError;
use provisioner::{CreateError, DirectoryError, DomainError, RunError, SeedError};

use crate::http::{Code, Problem};

impl From<provisioner::DirectoryError> for Problem {
    fn from(error: DirectoryError) -> Self {
        match &error {
            DirectoryError::NotFound(_) => Self::new(Code::TenantNotFound).detail(error),
            DirectoryError::NoPlatform(cause) => Self::new(Code::Unavailable).because(cause),
            DirectoryError::Db(cause) => Self::database(cause),
        }
    }
}

impl From<LifeError> for Problem {
    fn from(error: LifeError) -> Self {
        match &error {
            LifeError::NotFound(_) => Self::new(Code::TenantNotFound).detail(error),
            LifeError::Standing { .. } => Self::new(Code::TenantStatusWrong).detail(error),
            LifeError::Reason(_) => Self::field("/reason", "length", error),
            LifeError::TooManyTags(_) => Self::field("/add", "count", error),
            LifeError::SlugTaken(_) => Self::new(Code::SlugTaken).detail(error),
            LifeError::Held { .. } => Self::new(Code::TenantHeld).detail(error),
            LifeError::KeepUntil { .. } => Self::new(Code::ExportKept).detail(error),
            LifeError::BeingArchived(_) => Self::new(Code::TenantBeingArchived).detail(error),
            LifeError::BeingMade(_) => Self::new(Code::TenantBeingCreated).detail(error),
            LifeError::Reach(cause) => cause.clone().into(),
            LifeError::Db(cause) => Self::database(cause),
            // Exports are made and destroyed where their files are, from the command line.
            LifeError::ExportMissing { .. }
            | LifeError::Stranger(_)
            | LifeError::Export(_)
            | LifeError::File { .. }
            | LifeError::Lane(_) => Self::internal(error),
        }
    }
}

impl From<CopyError> for Problem {
    fn from(error: CopyError) -> Self {
        match error {
            CopyError::NotFound(_) => Self::new(Code::TenantNotFound).detail(error),
            CopyError::Standing { .. } => Self::new(Code::TenantStatusWrong).detail(error),
            CopyError::BeingArchived(_) => Self::new(Code::TenantBeingArchived).detail(error),
            CopyError::Create(cause) => cause.into(),
            CopyError::Reach(cause) => cause.into(),
            CopyError::Db(cause) => Self::database(&cause),
            // The others are about files, which no request names, and about our own mistakes.
            other => Self::internal(other),
        }
    }
}

impl From<PlanError> for Problem {
    fn from(error: PlanError) -> Self {
        match &error {
            PlanError::NotFound(_) => Self::new(Code::PlanNotFound).detail(error),
            PlanError::NoTenant(_) => Self::new(Code::TenantNotFound).detail(error),
            PlanError::OutOfRange { limit, .. } => {
                Self::field(&format!("/{limit}"), "range", &error)
            }
            PlanError::Db(cause) => Self::database(cause),
        }
    }
}

impl From<LaneError> for Problem {
    fn from(error: LaneError) -> Self {
        let code = match &error {
            LaneError::NoNode => return Self::internal(error),
            LaneError::UnknownNode(_) => Code::NodeNotFound,
            LaneError::NotFound(_) => Code::LaneNotFound,
            LaneError::NoTenant(_) => Code::TenantNotFound,
            LaneError::Full(_) | LaneError::BelowHeld { .. } => Code::LaneFull,
            LaneError::Retiring(_) => Code::LaneRetiring,
            LaneError::Elsewhere { .. } => Code::LaneElsewhere,
            LaneError::NoOtherLane(_) => Code::LaneMissing,
            LaneError::InUse(_) => Code::Conflict,
            LaneError::Foreign { .. }
            | LaneError::Login(_)
            | LaneError::Schema(_)
            | LaneError::TooMighty(_)
            | LaneError::Random(_) => return Self::internal(error),
            LaneError::Reach(cause) => return cause.clone().into(),
            LaneError::Db(cause) => return Self::database(cause),
        };
        Self::new(code).detail(error)
    }
}

impl From<ReachError> for Problem {
    fn from(error: ReachError) -> Self {
        match error {
            // The reason may quote the system, and goes to the log alone.
            ReachError::Unreachable { node, reason } => Self::new(Code::NodeUnreachable)
                .detail(format!("node {node} cannot be reached"))
                .because(reason),
            ReachError::NoConnector(_) | ReachError::Address => Self::internal(error),
        }
    }
}

impl From<NodeError> for Problem {
    fn from(error: NodeError) -> Self {
        match error {
            NodeError::Reach(cause) => cause.into(),
            NodeError::Lane(cause) => cause.into(),
            NodeError::Db(cause) => Self::database(&cause),
            // Nodes are added from the command line.
            other => Self::internal(other),
        }
    }
}

impl From<CreateError> for Problem {
    fn from(error: CreateError) -> Self {
        let code = match error {
            CreateError::SlugTaken(_) => Code::SlugTaken,
            CreateError::BeingCreated(_) => Code::TenantBeingCreated,
            CreateError::HalfMade { .. } => Code::TenantHalfMade,
            CreateError::Unfinished { .. } => Code::TenantUnfinished,
            CreateError::NoPlan(_) => Code::PlanNotFound,
            CreateError::Reach(cause) => return cause.into(),
            CreateError::Seed(cause) => return cause.into(),
            CreateError::Lane(cause) => return cause.into(),
            CreateError::NoPlatform(cause) => {
                return Self::new(Code::Unavailable).because(cause);
            }
            CreateError::Migration(cause) | CreateError::Denied(cause) => {
                return Self::internal(cause);
            }
            CreateError::NoMigrations | CreateError::Random(_) => return Self::internal(error),
            CreateError::Db(cause) => return Self::database(&cause),
        };
        Self::new(code).detail(error)
    }
}

impl From<SeedError> for Problem {
    fn from(error: SeedError) -> Self {
        match &error {
            SeedError::UnknownSeed { .. } => Self::field("/seeds", "unknown", error),
            SeedError::Setting { key, .. } => Self::field(&format!("/{key}"), "shape", &error),
            SeedError::Db(cause) => Self::database(cause),
        }
    }
}

impl From<DomainError> for Problem {
    fn from(error: DomainError) -> Self {
        match error {
            DomainError::Tenant(cause) => cause.into(),
            DomainError::NotClaimed { .. } => Self::new(Code::DomainNotClaimed).detail(error),
            DomainError::NotProven { .. } => Self::new(Code::DomainNotProven).detail(error),
            DomainError::Taken(_) => Self::new(Code::DomainTaken).detail(error),
            DomainError::Dns(cause) => Self::new(Code::DnsUnavailable).because(cause),
            DomainError::Random(_) => Self::internal(error),
            DomainError::Db(cause) => Self::database(&cause),
        }
    }
}

impl From<RunError> for Problem {
    fn from(error: RunError) -> Self {
        let code = match error {
            RunError::UnknownVersion(_) => return Self::field("/to", "unknown", error),
            RunError::Options(reason) => return Self::field("", "options", reason),
            RunError::Broken { cause, migration } => {
                return Self::new(Code::MigrationBroken)
                    .detail(format!("migration {migration} fails on a fresh schema"))
                    .because(cause);
            }
            RunError::DependsOnRows { .. } => Code::MigrationDependsOnRows,
            RunError::OneWay { .. } => Code::MigrationOneWay,
            RunError::InProgress { .. } => Code::RunInProgress,
            RunError::NotFound(_) => Code::RunNotFound,
            RunError::Standing { .. } => Code::RunStateWrong,
            RunError::NoPlace { .. } => Code::RunTenantNotFound,
            RunError::PlaceStanding { .. } => Code::RunTenantStateWrong,
            RunError::Needed { ref servers, .. } => {
                let servers = servers.join("; ");
                return Self::new(Code::NeededByServers).detail(format!("{error}: {servers}"));
            }
            RunError::NothingToRevert(_) | RunError::IsRollback(_) => Code::NothingToRevert,
            RunError::Reach(cause) => return cause.into(),
            RunError::NoPlatform(cause) => return Self::new(Code::Unavailable).because(cause),
            RunError::NoMigrations
            | RunError::Undeclared(_)
            | RunError::Schema(_)
            | RunError::Random(_)
            | RunError::Kept(_) => return Self::internal(error),
            RunError::Db(cause) => return Self::database(&cause),
        };
        Self::new(code).detail(error)
    }
}
