//! Our own product at an older build's head, which the command line then brings to its own.

use migration::{TenantMigrator, seed, tenant};
use provisioner::{Birth, Declared, Kind, Product, SeedError, Way};
use sea_orm::{DatabaseTransaction, DbErr};
use sea_orm_migration::{MigrationTrait, MigratorTrait, MigratorTraitSelf};

/// Dealers as a build made them that knew only so many migrations.
#[derive(Debug)]
pub(crate) struct OlderDealers(Older);

#[derive(Debug)]
pub(crate) struct Older {
    known: usize,
}

impl OlderDealers {
    pub(crate) fn knowing(known: usize) -> Self {
        Self(Older { known })
    }
}

impl MigratorTraitSelf for Older {
    fn migrations(&self) -> Vec<Box<dyn MigrationTrait>> {
        <TenantMigrator as MigratorTrait>::migrations()
            .into_iter()
            .take(self.known)
            .collect()
    }
}

#[async_trait::async_trait]
impl Product for OlderDealers {
    type Migrator = Older;

    fn migrator(&self) -> &Older {
        &self.0
    }

    fn declared(&self, migration: &str) -> Option<Declared> {
        let (kind, way) = tenant::declared(migration)?;
        Some(Declared::new(
            match kind {
                tenant::Kind::Expand => Kind::Expand,
                tenant::Kind::Contract { since } => Kind::contract(since),
            },
            match way {
                tenant::Way::Transaction => Way::Transaction,
                tenant::Way::Index { name, statement } => Way::index(name, statement),
                tenant::Way::Fill { statement } => Way::fill(statement),
            },
        ))
    }

    async fn anonymise(&self, tx: &DatabaseTransaction) -> Result<(), DbErr> {
        seed::anonymise(tx).await
    }

    async fn seed(&self, tx: &DatabaseTransaction, birth: &Birth) -> Result<(), SeedError> {
        let birth = seed::Birth {
            owner: None,
            currency: None,
            demo: birth.seeds.iter().any(|name| name == "demo"),
        };
        Ok(seed::seed(tx, &birth).await?)
    }
}
