//! Dealers whose history ends where a measurement wants it: at an old migration, or past the
//! newest with columns that nobody needs.

use migration::TenantMigrator;
use provisioner::{Birth, Declared, Kind, Product, SeedError, Way};
use sea_orm::{ConnectionTrait as _, DatabaseTransaction, DbErr};
use sea_orm_migration::{
    MigrationName, MigrationTrait, MigratorTrait, MigratorTraitSelf, SchemaManager,
};

use server::platform::Dealers;

/// Our product with another history.
#[derive(Debug, Clone, Copy)]
pub struct Growing(History);

/// So many of our migrations, and so many of the bench's own.
#[derive(Debug, Clone, Copy)]
pub struct History {
    ours: usize,
    columns: usize,
}

impl Growing {
    /// As a build made them that knew only so many migrations.
    pub fn knowing(ours: usize) -> Self {
        Self(History { ours, columns: 0 })
    }

    /// At head, with so many columns more.
    pub fn with_columns(columns: usize) -> Self {
        let ours = usize::MAX;
        Self(History { ours, columns })
    }
}

impl MigratorTraitSelf for History {
    fn migrations(&self) -> Vec<Box<dyn MigrationTrait>> {
        let ours = <TenantMigrator as MigratorTrait>::migrations().into_iter();
        let columns =
            (1..=self.columns).map(|n| Box::new(Column::new(n)) as Box<dyn MigrationTrait>);
        ours.take(self.ours).chain(columns).collect()
    }
}

/// A column more.
struct Column {
    name: String,
    number: usize,
}

impl Column {
    fn new(number: usize) -> Self {
        let name = format!("m9{number:03}_column");
        Self { name, number }
    }
}

impl MigrationName for Column {
    fn name(&self) -> &str {
        &self.name
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Column {
    #[expect(
        elided_lifetimes_in_paths,
        reason = "the trait elides it, and async-trait must match"
    )]
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let sql = format!("ALTER TABLE member ADD COLUMN bench_{} text", self.number);
        m.get_connection().execute_unprepared(&sql).await?;
        Ok(())
    }

    #[expect(
        elided_lifetimes_in_paths,
        reason = "the trait elides it, and async-trait must match"
    )]
    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let sql = format!("ALTER TABLE member DROP COLUMN bench_{}", self.number);
        m.get_connection().execute_unprepared(&sql).await?;
        Ok(())
    }
}

#[async_trait::async_trait]
impl Product for Growing {
    type Migrator = History;

    fn migrator(&self) -> &History {
        &self.0
    }

    fn declared(&self, migration: &str) -> Option<Declared> {
        let column = || Declared::new(Kind::Expand, Way::Transaction);
        Dealers
            .declared(migration)
            .or_else(|| migration.starts_with("m9").then(column))
    }

    async fn anonymise(&self, tx: &DatabaseTransaction) -> Result<(), DbErr> {
        Dealers.anonymise(tx).await
    }

    async fn seed(&self, tx: &DatabaseTransaction, birth: &Birth) -> Result<(), SeedError> {
        Dealers.seed(tx, birth).await
    }
}
