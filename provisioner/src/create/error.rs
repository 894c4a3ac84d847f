//! Why no tenant was made.

use sea_orm::DbErr;

use crate::lanes::LaneError;
use crate::nodes::ReachError;
use crate::{SeedError, Slug, db_error};

/// Why no tenant was made.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// Somebody is called that already.
    #[error("the slug {0} is taken")]
    SlugTaken(Slug),
    /// Somebody is at it right now.
    #[error("a tenant with the slug {0} is being created by somebody else")]
    BeingCreated(Slug),
    /// A creation was interrupted, and it was to be somewhere else.
    #[error("a creation of {slug} on node {node}, lane {lane}, was interrupted and not finished")]
    HalfMade {
        /// What was asked for.
        slug: Slug,
        /// Where it was to live.
        node: String,
        /// The login of the lane it was to be on.
        lane: String,
    },
    /// Another node did not say whether it has the tenant now.
    #[error("node {node} did not say whether it holds the new tenant {slug}")]
    Unfinished {
        /// What was asked for.
        slug: Slug,
        /// Where it is to live.
        node: String,
        /// What happened to the connection.
        #[source]
        cause: DbErr,
    },
    /// No plan is called that.
    #[error("there is no plan {0:?}")]
    NoPlan(String),
    /// The node could not be worked on.
    #[error("the new tenant's node is out of reach")]
    Reach(#[from] ReachError),
    /// The product could not fill the new schema.
    #[error("the new tenant could not be filled")]
    Seed(#[source] SeedError),
    /// The product's migrations don't run on an empty schema.
    #[error("the migrations failed on the new schema")]
    Migration(#[source] DbErr),
    /// The product has no migrations, so its tenants would have no version.
    #[error("the product has no migrations")]
    NoMigrations,
    /// No lane could be had.
    #[error("the new tenant could not be placed on a lane")]
    Lane(#[source] LaneError),
    /// The platform was never migrated.
    #[error("this database holds no platform yet")]
    NoPlatform(#[source] DbErr),
    /// The role that we are may not make roles or schemas.
    #[error("this role may not create tenants")]
    Denied(#[source] DbErr),
    /// The operating system has no randomness to give.
    #[error("the operating system gave no randomness")]
    Random(#[from] getrandom::Error),
    /// A statement failed.
    #[error("the database failed")]
    Db(#[source] DbErr),
}

impl From<DbErr> for CreateError {
    fn from(error: DbErr) -> Self {
        if db_error::is_missing_platform(&error) {
            Self::NoPlatform(error)
        } else if db_error::sqlstate(&error).as_deref() == Some(db_error::INSUFFICIENT_PRIVILEGE) {
            Self::Denied(error)
        } else {
            Self::Db(error)
        }
    }
}

impl From<LaneError> for CreateError {
    fn from(error: LaneError) -> Self {
        match error {
            LaneError::Db(cause) => cause.into(),
            LaneError::Reach(cause) => cause.into(),
            other => Self::Lane(other),
        }
    }
}
