//! Dealers, as the provisioner asks for them: the only place where the server meets their migrations.

use async_trait::async_trait;
use migration::seed;
use migration::{TenantMigrator, tenant};
use provisioner::{Birth, Declared, Entrance, Kind, Owner, Product, SeedError, Way};
use sea_orm::{DatabaseTransaction, DbErr};

pub(super) use migration::seed::{CURRENCY, DEFAULT_CURRENCY, SEEDS, currency};

/// The product whose tenants are dealers.
#[derive(Debug, Clone, Copy)]
pub struct Dealers;

#[async_trait]
impl Product for Dealers {
    type Migrator = TenantMigrator;

    fn migrator(&self) -> &TenantMigrator {
        &TenantMigrator
    }

    fn declared(&self, migration: &str) -> Option<Declared> {
        let (kind, way) = tenant::declared(migration)?;
        let kind = match kind {
            tenant::Kind::Expand => Kind::Expand,
            tenant::Kind::Contract { since } => Kind::contract(since),
        };
        let way = match way {
            tenant::Way::Transaction => Way::Transaction,
            tenant::Way::Index { name, statement } => Way::index(name, statement),
            tenant::Way::Fill { statement } => Way::fill(statement),
        };
        Some(Declared::new(kind, way))
    }

    async fn anonymise(&self, tx: &DatabaseTransaction) -> Result<(), DbErr> {
        seed::anonymise(tx).await
    }

    async fn seed(&self, tx: &DatabaseTransaction, birth: &Birth) -> Result<(), SeedError> {
        birth.check_words(&SEEDS, &[(CURRENCY, currency)])?;
        let birth = seed::Birth {
            owner: birth.owner.as_ref().map(first_owner),
            currency: birth.settings.get(CURRENCY).cloned(),
            demo: birth.seeds.iter().any(|name| name == "demo"),
        };
        Ok(seed::seed(tx, &birth).await?)
    }
}

fn first_owner(owner: &Owner) -> seed::FirstOwner {
    seed::FirstOwner {
        email: owner.email.clone(),
        name: owner.name.clone(),
        entrance: match &owner.entrance {
            Entrance::Password { hash } => seed::Entrance::Password { hash: hash.clone() },
            Entrance::Invitation {
                token_hash,
                expires_at,
            } => seed::Entrance::Invitation {
                token_hash: token_hash.clone(),
                expires_at: *expires_at,
            },
        },
    }
}
