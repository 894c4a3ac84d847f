//! What a product brings along: a migrator, and what a new tenant is born with.

use std::collections::BTreeMap;
use std::fmt;

use sea_orm::{DatabaseTransaction, DbErr};
use sea_orm_migration::MigratorTraitSelf;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::check::{EntityTable, Waiver};
use crate::{Slug, TenantName};

/// A product whose tenants live in schemas.
#[async_trait::async_trait]
pub trait Product: Send + Sync + 'static {
    /// The history of one tenant's schema; every `MigratorTrait` is one.
    type Migrator: MigratorTraitSelf;

    /// The history of one tenant's schema.
    fn migrator(&self) -> &Self::Migrator;

    /// What a migration of [`Product::migrator`] says of itself. Nothing for names it has not.
    fn declared(&self, migration: &str) -> Option<Declared>;

    /// The tables of a tenant's schema as the product's entities see them; none where it has no
    /// entities.
    fn tables(&self) -> Vec<EntityTable> {
        vec![]
    }

    /// Writes a new tenant's first rows, inside the transaction that creates it. The search path
    /// is the new schema; all migrations have run. Must not commit, and set nothing on the session.
    ///
    /// # Errors
    ///
    /// Any error undoes the whole tenant.
    async fn seed(&self, tx: &DatabaseTransaction, birth: &Birth) -> Result<(), SeedError>;

    /// Takes everything out of a copy that tells who a person is, or lets anybody sign in, inside
    /// the transaction that makes the copy. The search path is the copy's schema. Must not commit,
    /// and set nothing on the session.
    ///
    /// # Errors
    ///
    /// Any error undoes the whole copy.
    async fn anonymise(&self, tx: &DatabaseTransaction) -> Result<(), DbErr>;
}

/// What a migration says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// Whether older code can live with it.
    pub kind: Kind,
    /// How it is carried over tenants that are being used.
    pub way: Way,
    /// Findings of [`crate::check`] that somebody has answered for.
    pub waivers: Vec<Waiver>,
    /// Where it is written, as a path from the repository's root; for reports.
    pub written: Option<String>,
}

impl Declared {
    /// Without waivers.
    pub fn new(kind: Kind, way: Way) -> Self {
        Self {
            kind,
            way,
            waivers: vec![],
            written: None,
        }
    }

    /// Lets what a check finds under this code's name stay, for a reason.
    #[must_use]
    pub fn waiving(mut self, code: &str, reason: &str) -> Self {
        self.waivers.push(Waiver {
            code: code.to_owned(),
            reason: reason.to_owned(),
        });
        self
    }

    /// Says where the migration is written.
    #[must_use]
    pub fn written_in(mut self, path: impl Into<String>) -> Self {
        self.written = Some(path.into());
        self
    }
}

/// Whether older code can live with a migration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Code that does not know it is not harmed by it.
    Expand,
    /// It takes away what code needs that does not know the migration `since`; it cannot be taken
    /// back.
    Contract {
        /// The oldest migration whose code can do without.
        since: String,
    },
}

impl Kind {
    /// It takes away what code needs that does not know the migration `since`.
    pub fn contract(since: &str) -> Self {
        Self::Contract {
            since: since.to_owned(),
        }
    }
}

/// How a migration is carried over tenants that are being used. A new tenant, a spare or a
/// reference is always made by the migration's own `up`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// As it is, in the transaction of all that go with it. Its statements must not depend on the
    /// tenant's rows.
    Transaction,
    /// Beside traffic: one index, built by `statement` (`CREATE INDEX CONCURRENTLY`) outside any
    /// transaction. One that an earlier attempt left invalid is dropped and built again.
    Index {
        /// The index's name.
        name: String,
        /// What builds it; names no schema.
        statement: String,
    },
    /// Row by row, outside the transaction of any DDL: `statement` changes at most `$1` rows, each
    /// batch in a transaction of its own, and none when all is done.
    Fill {
        /// One batch; names no schema.
        statement: String,
    },
}

impl Way {
    /// One index, built beside traffic.
    pub fn index(name: &str, statement: &str) -> Self {
        Self::Index {
            name: name.to_owned(),
            statement: statement.to_owned(),
        }
    }

    /// Row by row.
    pub fn fill(statement: &str) -> Self {
        Self::Fill {
            statement: statement.to_owned(),
        }
    }
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

/// A setting that a product knows: its name, and what reads its value or says what is wrong.
pub type Setting = (&'static str, fn(&str) -> Result<String, String>);

impl Birth {
    /// Refuses words that the product does not know: they would be ignored without a sound.
    ///
    /// # Errors
    ///
    /// [`SeedError::UnknownSeed`], [`SeedError::Setting`].
    pub fn check_words(&self, seeds: &[&str], settings: &[Setting]) -> Result<(), SeedError> {
        if let Some(name) = self
            .seeds
            .iter()
            .find(|name| !seeds.contains(&name.as_str()))
        {
            return Err(SeedError::UnknownSeed {
                name: name.clone(),
                known: seeds.iter().map(|&name| name.to_owned()).collect(),
            });
        }
        for (key, value) in &self.settings {
            let read = settings.iter().find(|(known, _)| known == key);
            let refused = match read {
                Some((_, read)) => read(value).err(),
                None => {
                    let known: Vec<_> = settings.iter().map(|(name, _)| *name).collect();
                    Some(format!("is not known; known: {}", known.join(", ")))
                }
            };
            if let Some(reason) = refused {
                let key = key.clone();
                return Err(SeedError::Setting { key, reason });
            }
        }
        Ok(())
    }
}

/// The first person of a tenant.
#[derive(Clone)]
pub struct Owner {
    /// Mail address.
    pub email: String,
    /// How to address them.
    pub name: String,
    /// How they get in.
    pub entrance: Entrance,
}

/// How the first person of a tenant gets in.
#[derive(Clone)]
pub enum Entrance {
    /// By a password that somebody chose for them.
    Password {
        /// PHC string, see [`crate::password::hash`].
        hash: String,
    },
    /// By an invitation: they choose their password themselves.
    Invitation {
        /// What is kept of its token, see [`crate::InvitationToken::hash`].
        token_hash: Vec<u8>,
        /// UTC.
        expires_at: OffsetDateTime,
    },
}

/// Shows that there is an owner, and neither who nor with what password.
impl fmt::Debug for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Owner").finish_non_exhaustive()
    }
}

/// Shows which of them it is.
impl fmt::Debug for Entrance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Password { .. } => "Password(…)",
            Self::Invitation { .. } => "Invitation(…)",
        })
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
