//! Migrations over the fleet. A run is a row, and so is each tenant in it; whatever is killed
//! wherever, the rows say what is left to do, and any worker of any process goes on from there.
//!
//! What a tenant's migration says is recorded once on a schema that is thrown away ([`course`]) and
//! sent to each tenant as one message. The tenant's DDL, the line in its schema's own history, its
//! entry in the directory and its row in the run commit together (on another node the schema
//! commits first, and its history says so to whoever comes next). Then its structure is compared
//! with that of a fresh schema of that version; only then it is done.

mod apply;
mod claim;
mod contracts;
mod control;
mod course;
mod crew;
mod errors;
mod finish;
mod one_by_one;
mod options;
mod pace;
mod path;
mod progress;
mod recorder;
mod rollback;
mod selector;
mod start;
mod stumble;
mod wave;
mod waves;
mod worker;

use sea_orm::DbErr;
use uuid::Uuid;

pub use entity::platform::migration_run::State as RunState;
pub use entity::platform::migration_run_tenant::State as PlaceState;

pub(crate) use self::apply::Cut;
pub use self::control::Retried;
pub(crate) use self::course::{Course, Extent};
pub(crate) use self::finish::{explain, explain_difference};
pub(crate) use self::one_by_one::{batch, build};
pub use self::options::{Canary, MaxFailures, RunOptions};
pub(crate) use self::path::{Path, Traffic, Work};
pub use self::progress::{Counts, ListPlaces, PlaceEntry, PlacePage, RunEntry, RunRehearsal};
pub(crate) use self::recorder::asks_catalogue;
pub use self::selector::Selector;
pub(crate) use self::start::SILENCE;
pub use self::start::Started;
pub use self::worker::{Event, WorkOptions};
use crate::db_error;
use crate::nodes::ReachError;
use crate::schema_name::SchemaNameError;

/// Why a run was not begun, changed or worked on. What happens to a single tenant is in its row.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The product has no migrations.
    #[error("the product has no migrations")]
    NoMigrations,
    /// A migration doesn't say whether older code can live with it.
    #[error("migration {0} does not declare whether it expands or contracts")]
    Undeclared(String),
    /// A migration doesn't run on a fresh schema.
    #[error("migration {migration} fails on a fresh schema")]
    Broken {
        /// Its name.
        migration: String,
        /// What the database said.
        #[source]
        cause: DbErr,
    },
    /// A migration asks about rows, so that what it says to one tenant can't be said to another.
    #[error("migration {migration} depends on rows: it asks {question:?}")]
    DependsOnRows {
        /// Its name.
        migration: String,
        /// What it asks.
        question: String,
    },
    /// There is no way back over this migration.
    #[error("there is no way back over migration {migration}: {reason}")]
    OneWay {
        /// Its name.
        migration: String,
        /// Why.
        reason: String,
    },
    /// A version that this build does not know.
    #[error("this build knows no migration {0:?}")]
    UnknownVersion(String),
    /// The options make no sense.
    #[error("{0}")]
    Options(String),
    /// Another run is not over.
    #[error("run {run} to {target} is not over: it is {state}")]
    InProgress {
        /// The other run.
        run: Uuid,
        /// Where it leads.
        target: String,
        /// Where it stands.
        state: String,
    },
    /// No run is called that.
    #[error("there is no run {0:?}")]
    NotFound(String),
    /// The run stands where this can't be done.
    #[error("run {run} is {is}, and only one that is {from} can be {wanted}")]
    Standing {
        /// The run.
        run: Uuid,
        /// Where it stands.
        is: String,
        /// Where it would have to stand.
        from: &'static str,
        /// What was asked for.
        wanted: &'static str,
    },
    /// No tenant of the run is called that.
    #[error("run {run} has no tenant {tenant:?}")]
    NoPlace {
        /// The run.
        run: Uuid,
        /// What was asked for.
        tenant: String,
    },
    /// The tenant's place can't be skipped any more.
    #[error("tenant {tenant} is {is} in this run and can't be skipped")]
    PlaceStanding {
        /// The tenant.
        tenant: String,
        /// Where it stands.
        is: String,
    },
    /// Servers are live that need what a contract takes away.
    #[error("{} live servers need what migration {migration} takes away", servers.len())]
    Needed {
        /// The contract.
        migration: String,
        /// The oldest migration that a server must know.
        since: String,
        /// Their ids, with the newest migration that each knows.
        servers: Vec<String>,
    },
    /// Nobody was moved by that run.
    #[error("run {0} has moved nobody who could be moved back")]
    NothingToRevert(Uuid),
    /// It took another one back, and there is no way back from that but forwards.
    #[error("run {0} took another one back itself")]
    IsRollback(Uuid),
    /// The directory holds a schema name that we would not have made.
    #[error("the directory holds an impossible schema")]
    Schema(#[from] SchemaNameError),
    /// A tenant's node could not be worked on.
    #[error("a node is out of reach")]
    Reach(#[from] ReachError),
    /// The platform was never migrated.
    #[error("this database holds no platform yet")]
    NoPlatform(#[source] DbErr),
    /// The operating system has no randomness to give.
    #[error("the operating system gave no randomness")]
    Random(#[from] getrandom::Error),
    /// What is kept of a run cannot be read.
    #[error("what is kept of the run cannot be read")]
    Kept(#[from] serde_json::Error),
    /// A statement failed.
    #[error("the database failed")]
    Db(#[source] DbErr),
}

impl From<DbErr> for RunError {
    fn from(error: DbErr) -> Self {
        if db_error::is_missing_platform(&error) {
            Self::NoPlatform(error)
        } else {
            Self::Db(error)
        }
    }
}
