//! Our own product as an older build knew it: dealers it makes stand at its newest migration.

use migration::TenantMigrator;
use provisioner::{
    Birth, CreateError, Created, Declared, Entrance, NewTenant, NodeConnector, Owner, Placement,
    Product, Provisioner, SeedError,
};
use sea_orm::{ConnectOptions, Database, DatabaseTransaction, DbErr};
use sea_orm_migration::{MigrationTrait, MigratorTrait, MigratorTraitSelf};
use server::platform::Dealers;

use super::database::{PASSWORD, Scratch};

/// Dealers as a build made them that knew only so many migrations.
#[derive(Debug, Clone, Copy)]
pub struct OlderDealers(History);

/// The beginning of our history.
#[derive(Debug, Clone, Copy)]
pub struct History {
    known: usize,
}

impl OlderDealers {
    /// As a build that knew so many migrations; more than there are is this build.
    pub fn knowing(known: usize) -> Self {
        Self(History { known })
    }

    /// A provisioner of this build on a database, which knows the way to other nodes.
    ///
    /// # Errors
    ///
    /// When the database is gone.
    pub async fn provisioner(self, database: &Scratch) -> Result<Provisioner<Self>, DbErr> {
        let mut options = ConnectOptions::new(database.owner_url());
        options.max_connections(2).sqlx_logging(false);
        let connection = Database::connect(options).await?;
        let connector = NodeConnector::new(database.owner_url().into());
        Ok(Provisioner::new(connection, database.secret().into(), self).with_nodes(connector))
    }

    /// Makes a dealer whose owner can sign in as those of the ready dealers do.
    ///
    /// # Panics
    ///
    /// When it can't be made.
    pub async fn create(self, database: &Scratch, slug: &str) -> Created {
        let hash =
            provisioner::password::hash(&PASSWORD.into(), provisioner::password::Cost::default())
                .expect("the password is fine");
        let provisioner = self
            .provisioner(database)
            .await
            .expect("the database is there");
        let mut new = Self::new_tenant(slug);
        new.owner = Some(Owner {
            email: format!("owner@{slug}.example"),
            name: slug.to_owned(),
            entrance: Entrance::Password { hash },
        });
        let created = provisioner.create(new).await;
        created.expect("the dealer can be made")
    }

    /// Makes a dealer without an owner on a node, or on the platform's own.
    ///
    /// # Errors
    ///
    /// As the provisioner's.
    pub async fn create_at(
        provisioner: &Provisioner<Self>,
        slug: &str,
        node: Option<&str>,
        seeds: &[&str],
    ) -> Result<Created, CreateError> {
        let mut new = Self::new_tenant(slug);
        new.seeds = seeds.iter().map(|seed| (*seed).to_owned()).collect();
        let at = Placement {
            node: node.map(|node| node.parse().expect("a node's name is a label")),
            ..Placement::default()
        };
        provisioner.create_at(new, at).await
    }

    fn new_tenant(slug: &str) -> NewTenant {
        NewTenant {
            slug: slug.parse().expect("a slug"),
            name: slug.parse().expect("a name"),
            owner: None,
            seeds: vec![],
            settings: std::collections::BTreeMap::from([("currency".to_owned(), "EUR".to_owned())]),
            actor: "test".to_owned(),
        }
    }
}

impl MigratorTraitSelf for History {
    fn migrations(&self) -> Vec<Box<dyn MigrationTrait>> {
        let ours = <TenantMigrator as MigratorTrait>::migrations();
        ours.into_iter().take(self.known).collect()
    }
}

#[async_trait::async_trait]
impl Product for OlderDealers {
    type Migrator = History;

    fn migrator(&self) -> &History {
        &self.0
    }

    fn declared(&self, migration: &str) -> Option<Declared> {
        Dealers.declared(migration)
    }

    async fn anonymise(&self, tx: &DatabaseTransaction) -> Result<(), DbErr> {
        Dealers.anonymise(tx).await
    }

    async fn seed(&self, tx: &DatabaseTransaction, birth: &Birth) -> Result<(), SeedError> {
        Dealers.seed(tx, birth).await
    }
}
