//! What a product brings along: a migrator, and what a new tenant is born with.

use std::collections::BTreeMap;
use std::fmt;

use sea_orm::{DatabaseTransaction, DbErr};
use sea_orm_migration::MigratorTraitSelf;
use uuid::Uuid;

use crate::{Slug, TenantName};

/// A product whose tenants live in schemas.
#[async_trait::async_trait]
pub trait Product: Send + Sync + 'static {
    /// The history of one tenant's schema; every `MigratorTrait` is one.
    type Migrator: MigratorTraitSelf;

    /// The history of one tenant's schema.
    fn migrator(&self) -> &Self::Migrator;

    /// Writes a new tenant's first rows, inside the transaction that creates it. The search path
    /// is the new schema; all migrations have run. Must not commit, and set nothing on the session.
    ///
    /// # Errors
    ///
    /// Any error undoes the whole tenant.
    async fn seed(&self, tx: &DatabaseTransaction, birth: &Birth) -> Result<(), SeedError>;
}

/// The facts about a new tenant, as its product sees them.
#[derive(Clone, Debug)]
pub struct Birth {
    /// The tenant's id in the directory.
    pub tenant_id: Uuid,
    /// What people type.
    pub slug: Slug,
    /// What people read.
    pub name: TenantName,
    /// The first person, if there is one yet.
    pub owner: Option<Owner>,
    /// Names of optional sets of rows, such as `demo`.
    pub seeds: Vec<String>,
    /// The product's own words, which mean nothing here.
    pub settings: BTreeMap<String, String>,
}

/// The first person of a tenant.
#[derive(Clone)]
pub struct Owner {
    /// Mail address.
    pub email: String,
    /// How to address them.
    pub name: String,
    /// PHC string, see [`crate::password::hash`].
    pub password_hash: String,
}

/// Shows that there is an owner, and neither who nor with what password.
impl fmt::Debug for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Owner").finish_non_exhaustive()
    }
}

/// Why a new tenant could not be filled.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// A seed that the product does not have.
    #[error("there is no seed {name:?}; known: {}", known.join(", "))]
    UnknownSeed {
        /// What was asked for.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
    /// A setting that the product does not know or cannot take.
    #[error("setting {key:?}: {reason}")]
    Setting {
        /// The setting.
        key: String,
        /// What is wrong, and what would be right.
        reason: String,
    },
    /// A statement failed.
    #[error("the seed failed in the database")]
    Db(#[from] DbErr),
}
