//! Lanes: logins that tenants share, at most `capacity` of them each. Tenants are spread evenly
//! over the open lanes of their node, and a lane is added when all are full.
//!
//! What keeps a lane within its capacity: whoever puts a tenant on a lane holds the lane's row and
//! counts, after having got it, everybody who is listed there and everybody who really is a member
//! of its login.
//!
//! What keeps them from waiting for each other in a circle: tenant's row, then `lock`, then one
//! lane's row, then whatever a change of a lane touches (the directory's mark, which is one row
//! for all, and the rights on the database). Nobody goes back.

mod adding;
mod listing;
mod logins;
mod membership;
mod moving;
mod placing;
mod retiring;

use std::time::Duration;

use sea_orm::{DatabaseTransaction, DbErr};
use uuid::Uuid;

pub use self::adding::{AddedLane, NewLane, Pressure};
pub use self::listing::{LaneEntry, SetLane};
pub use self::membership::{Membership, MendedMemberships};
pub use self::moving::{MoveTo, Moved};
pub use self::retiring::Retired;

pub(crate) use self::adding::{Shape, add};
pub(crate) use self::listing::find;
pub(crate) use self::logins::ensure_login;
pub(crate) use self::membership::{admit, mend};
pub(crate) use self::placing::{Placed, Wish, place};
pub(crate) use self::retiring::{drop_if_empty, finish_retired};
use crate::nodes::{ReachError, Site};
use crate::query::one;
use crate::role::RoleName;
use crate::transaction::Limits;
use secrecy::SecretString;

/// A tenant's row is held by whoever migrates or makes it, for as long as that takes.
pub(crate) const LIMITS: Limits = Limits {
    lock_timeout: Duration::from_secs(30),
    statement_timeout: Duration::from_secs(60),
    silence: None,
};

/// How wide a new lane is, and how many tenants it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneOptions {
    /// Connections that one server process opens on the lane, at most.
    pub width: u16,
    /// Tenants on the lane, 1 to 500: a login with more memberships pays for them at `SET ROLE`.
    pub capacity: u16,
}

/// Twenty lanes of four carry ten thousand tenants within Postgres' usual 100 connections.
impl Default for LaneOptions {
    fn default() -> Self {
        Self {
            width: 4,
            capacity: 500,
        }
    }
}

/// A lane that a tenant was placed on.
#[derive(Clone, Debug)]
pub(crate) struct Lane {
    pub(crate) id: Uuid,
    pub(crate) login: RoleName,
}

/// Where and how lanes are worked on: the platform's transaction, and the way to their node.
#[derive(Clone, Copy)]
pub(crate) struct Ground<'a> {
    pub(crate) tx: &'a DatabaseTransaction,
    pub(crate) site: &'a Site,
    pub(crate) secret: &'a SecretString,
    pub(crate) options: LaneOptions,
}

/// Why no login could be made, no lane chosen, or no tenant moved.
#[derive(Debug, thiserror::Error)]
pub enum LaneError {
    /// The directory has no node in this database.
    #[error("the directory names no node in this database")]
    NoNode,
    /// No node is called that.
    #[error("there is no node {0:?}")]
    UnknownNode(String),
    /// No lane is called that.
    #[error("there is no lane {0:?}")]
    NotFound(String),
    /// No tenant is called that.
    #[error("there is no tenant {0:?}")]
    NoTenant(String),
    /// The lane that was asked for is full.
    #[error("lane {0} is full")]
    Full(RoleName),
    /// The lane that was asked for is on its way out.
    #[error("lane {0} is being retired and takes nobody")]
    Retiring(RoleName),
    /// Lane and tenant, or lane and node, are not in the same place.
    #[error("lane {lane} is on node {is_on}, not on {wanted}")]
    Elsewhere {
        /// The lane's login.
        lane: String,
        /// Where it is.
        is_on: String,
        /// Where it would have to be.
        wanted: String,
    },
    /// All other open, shared lanes of the node are full, or there are none.
    #[error("node {0} has no other open lane with room")]
    NoOtherLane(String),
    /// Fewer places than tenants.
    #[error("lane {lane} holds {held} tenants, so its capacity can't be {capacity}")]
    BelowHeld {
        /// The lane's login.
        lane: String,
        /// How many it holds.
        held: usize,
        /// What was asked for.
        capacity: u16,
    },
    /// Somebody came to a lane that was to be dropped.
    #[error("lane {0} is in use again: try once more")]
    InUse(String),
    /// A membership that somebody else gave, and only they or a superuser can take.
    #[error(
        "{login} is still a member of {role}: another role than the platform's owner made it so"
    )]
    Foreign {
        /// The tenant's role.
        role: String,
        /// The login that may become it.
        login: String,
    },
    /// The directory holds a role name that we would not have made.
    #[error("the directory holds a lane with an impossible login")]
    Login(#[from] crate::role::RoleNameError),
    /// The directory holds a schema name that we would not have made.
    #[error("the directory holds an impossible schema")]
    Schema(#[from] crate::SchemaNameError),
    /// The role is there already and may do more than a server should.
    #[error(
        "role {0} exists and is a superuser or may create roles or databases, replicate or bypass \
         row security: take those rights away, or choose another name"
    )]
    TooMighty(RoleName),
    /// The lane's node could not be worked on.
    #[error("the lane's node is out of reach")]
    Reach(#[from] ReachError),
    /// The operating system has no randomness to give.
    #[error("the operating system gave no randomness")]
    Random(#[from] getrandom::Error),
    /// A statement failed.
    #[error("the database failed")]
    Db(#[from] DbErr),
}

/// Lets one transaction at a time add lanes or repair their logins.
pub(crate) async fn lock(tx: &DatabaseTransaction) -> Result<(), DbErr> {
    one(
        tx,
        "SELECT pg_advisory_xact_lock(hashtextextended('tubex lanes', 0))",
        [],
    )
    .await?;
    Ok(())
}
