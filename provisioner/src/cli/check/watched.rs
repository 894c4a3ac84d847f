//! Our product, whose migrations say when their code begins and ends to run: whoever reads that
//! knows which of them it was that took the process down.

use std::io::Write as _;
use std::sync::Arc;

use async_trait::async_trait;
use provisioner::check::EntityTable;
use provisioner::{Birth, Declared, Product, SeedError};
use sea_orm::sea_query::DynIden;
use sea_orm::{DatabaseTransaction, DbErr};
use sea_orm_migration::{MigrationName, MigrationTrait, MigratorTraitSelf, SchemaManager};

use super::order::Event;

/// The way back to the process that watches.
pub(super) struct Teller {
    token: String,
}

impl Teller {
    pub(super) fn new(token: &str) -> Arc<Self> {
        let token = token.to_owned();
        Arc::new(Self { token })
    }

    /// Says it at once: the next instruction may be the last.
    pub(super) fn tell(&self, event: &Event) {
        let event = serde_json::to_string(event).expect("an event has nothing that JSON can't say");
        let mut out = std::io::stdout().lock();
        // Whoever does not listen any more has stopped the check; it is tidied up all the same.
        let _ = write!(out, "\n{} {event}\n", self.token).and_then(|()| out.flush());
    }
}

/// A product whose migrations are watched.
pub(super) struct WatchedProduct<P, M> {
    product: P,
    migrator: WatchedMigrator<M>,
}

impl<P, M> WatchedProduct<P, M> {
    pub(super) fn new(product: P, migrator: M, teller: &Arc<Teller>) -> Self {
        let migrator = WatchedMigrator::new(migrator, teller);
        Self { product, migrator }
    }
}

#[async_trait]
impl<P: Product, M: MigratorTraitSelf + 'static> Product for WatchedProduct<P, M> {
    type Migrator = WatchedMigrator<M>;

    fn migrator(&self) -> &WatchedMigrator<M> {
        &self.migrator
    }

    fn declared(&self, migration: &str) -> Option<Declared> {
        self.product.declared(migration)
    }

    fn tables(&self) -> Vec<EntityTable> {
        self.product.tables()
    }

    async fn seed(&self, tx: &DatabaseTransaction, birth: &Birth) -> Result<(), SeedError> {
        self.product.seed(tx, birth).await
    }

    async fn anonymise(&self, tx: &DatabaseTransaction) -> Result<(), DbErr> {
        self.product.anonymise(tx).await
    }
}

/// A history whose steps are watched.
pub(super) struct WatchedMigrator<M> {
    migrator: M,
    teller: Arc<Teller>,
}

impl<M> WatchedMigrator<M> {
    pub(super) fn new(migrator: M, teller: &Arc<Teller>) -> Self {
        let teller = Arc::clone(teller);
        Self { migrator, teller }
    }
}

#[async_trait]
impl<M: MigratorTraitSelf> MigratorTraitSelf for WatchedMigrator<M> {
    fn migrations(&self) -> Vec<Box<dyn MigrationTrait>> {
        let watched = |step| {
            let teller = Arc::clone(&self.teller);
            Box::new(WatchedStep { step, teller }) as Box<dyn MigrationTrait>
        };
        self.migrator
            .migrations()
            .into_iter()
            .map(watched)
            .collect()
    }

    fn migration_table_name(&self) -> DynIden {
        self.migrator.migration_table_name()
    }
}

struct WatchedStep {
    step: Box<dyn MigrationTrait>,
    teller: Arc<Teller>,
}

impl MigrationName for WatchedStep {
    fn name(&self) -> &str {
        self.step.name()
    }
}

#[async_trait]
impl MigrationTrait for WatchedStep {
    #[expect(
        elided_lifetimes_in_paths,
        reason = "the trait elides it, and async-trait must match"
    )]
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let _running = Running::begin(self);
        self.step.up(m).await
    }

    #[expect(
        elided_lifetimes_in_paths,
        reason = "the trait elides it, and async-trait must match"
    )]
    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let _running = Running::begin(self);
        self.step.down(m).await
    }

    fn use_transaction(&self) -> Option<bool> {
        self.step.use_transaction()
    }
}

/// Says that it ended however it ended: done, refused, given up or panicking.
struct Running<'a>(&'a WatchedStep);

impl<'a> Running<'a> {
    fn begin(step: &'a WatchedStep) -> Self {
        step.teller.tell(&Event::Began(step.name().to_owned()));
        Self(step)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.teller.tell(&Event::Ended(self.0.name().to_owned()));
    }
}
