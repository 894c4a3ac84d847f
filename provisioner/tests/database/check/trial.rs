//! A product that is a list of texts, and the check of it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use migration::PlatformMigrator;
use provisioner::check::{CheckOptions, EntityTable, Part, Report, ScratchAt, check};
use provisioner::{Birth, Declared, Kind, Product, SeedError, Way};
use sea_orm::{ConnectionTrait as _, DatabaseTransaction, DbErr};
use sea_orm_migration::{MigrationName, MigrationTrait, MigratorTraitSelf, SchemaManager};

/// What a migration says.
#[derive(Clone, Debug)]
pub(super) enum Say {
    Sql(String),
    /// Something that only code can do.
    Code(Deed),
}

/// Something that only code can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    Panic,
    LoopAsleep,
    LoopAwake,
    SwallowError,
    AskRows,
    AskCatalogue,
    OwnConnection,
    OwnConnectionLeftOpen,
}

/// A migration.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) name: String,
    pub(super) up: Say,
    pub(super) down: String,
    pub(super) declared: Option<Declared>,
}

/// A product whose migrations are texts.
#[derive(Clone, Debug, Default)]
pub(super) struct Trial {
    steps: Steps,
    tables: Vec<EntityTable>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Steps(Vec<Step>);

pub(super) fn expand() -> Declared {
    Declared::new(Kind::Expand, Way::Transaction)
}

/// A contract since the first migration.
pub(super) fn contract() -> Declared {
    Declared::new(Kind::contract("base"), Way::Transaction)
}

pub(super) fn step(name: &str, up: &str, declared: Declared) -> Step {
    Step {
        name: name.to_owned(),
        up: Say::Sql(up.to_owned()),
        down: String::new(),
        declared: Some(declared),
    }
}

pub(super) fn deed(name: &str, deed: Deed) -> Step {
    Step {
        up: Say::Code(deed),
        ..step(name, "", expand())
    }
}

impl Step {
    pub(super) fn down(mut self, down: &str) -> Self {
        self.down = down.to_owned();
        self
    }
}

impl Trial {
    pub(super) fn new(steps: Vec<Step>) -> Self {
        Self {
            steps: Steps(steps),
            tables: vec![],
        }
    }

    pub(super) fn with_tables(mut self, tables: Vec<EntityTable>) -> Self {
        self.tables = tables;
        self
    }

    /// Checks these parts, on a database of its own.
    pub(super) async fn check(self, parts: &[Part]) -> Report {
        self.check_within(parts, Duration::from_secs(20)).await
    }

    pub(super) async fn check_within(self, parts: &[Part], timeout: Duration) -> Report {
        let options = CheckOptions {
            parts: parts.iter().copied().collect(),
            timeout,
            rows: 20,
            ..CheckOptions::default()
        };
        check(self, &PlatformMigrator, &server(), None, &options)
            .await
            .unwrap()
    }
}

/// The server of the tests.
pub(super) fn server() -> ScratchAt {
    ScratchAt::made(url().into())
}

pub(super) fn url() -> String {
    std::env::var("TUBEX_TEST_DATABASE_URL").expect("the harness names its database")
}

/// Names of codes that were found, by migration.
pub(super) fn found(report: &Report) -> BTreeMap<String, BTreeSet<&'static str>> {
    let mut found: BTreeMap<String, BTreeSet<&'static str>> = BTreeMap::new();
    for finding in &report.findings {
        let migration = finding.migration.clone().unwrap_or_default();
        found
            .entry(migration)
            .or_default()
            .insert(finding.code.name());
    }
    found
}

/// The codes of a report, whatever migration they are of.
pub(super) fn codes(report: &Report) -> Vec<&'static str> {
    report.findings.iter().map(|one| one.code.name()).collect()
}

#[async_trait::async_trait]
impl Product for Trial {
    type Migrator = Steps;

    fn migrator(&self) -> &Steps {
        &self.steps
    }

    fn declared(&self, migration: &str) -> Option<Declared> {
        let step = self.steps.0.iter().find(|step| step.name == migration)?;
        step.declared.clone()
    }

    fn tables(&self) -> Vec<EntityTable> {
        self.tables.clone()
    }

    async fn anonymise(&self, _: &DatabaseTransaction) -> Result<(), DbErr> {
        Ok(())
    }

    async fn seed(&self, _: &DatabaseTransaction, _: &Birth) -> Result<(), SeedError> {
        Ok(())
    }
}

impl MigratorTraitSelf for Steps {
    fn migrations(&self) -> Vec<Box<dyn MigrationTrait>> {
        let boxed = |step: &Step| Box::new(step.clone()) as Box<dyn MigrationTrait>;
        self.0.iter().map(boxed).collect()
    }
}

impl MigrationName for Step {
    fn name(&self) -> &str {
        &self.name
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    #[expect(
        elided_lifetimes_in_paths,
        reason = "the trait elides it, and async-trait must match"
    )]
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        match &self.up {
            Say::Sql(sql) => m.get_connection().execute_unprepared(sql).await.map(drop),
            Say::Code(deed) => deed.act(m).await,
        }
    }

    #[expect(
        elided_lifetimes_in_paths,
        reason = "the trait elides it, and async-trait must match"
    )]
    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let connection = m.get_connection();
        connection.execute_unprepared(&self.down).await.map(drop)
    }
}

impl Deed {
    async fn act(self, m: &SchemaManager<'_>) -> Result<(), DbErr> {
        let connection = m.get_connection();
        match self {
            Self::Panic => panic!("it was told to"),
            Self::LoopAsleep => loop {
                tokio::time::sleep(Duration::from_secs(1)).await;
            },
            Self::LoopAwake => loop {
                std::hint::spin_loop();
            },
            Self::SwallowError => {
                let _ = connection.execute_unprepared("SELECT 1 / 0").await;
                Ok(())
            }
            Self::AskRows => ask(connection, "SELECT count(*)::text FROM ground").await,
            Self::AskCatalogue => {
                let sql = "SELECT count(*)::text FROM pg_catalog.pg_class";
                ask(connection, sql).await
            }
            Self::OwnConnection | Self::OwnConnectionLeftOpen => self.connect(connection).await,
        }
    }

    async fn connect(self, connection: &impl sea_orm::ConnectionTrait) -> Result<(), DbErr> {
        let sql = "SELECT current_database()::text AS name FROM pg_catalog.pg_class LIMIT 1";
        let statement = sea_orm::Statement::from_string(sea_orm::DbBackend::Postgres, sql);
        let row = connection.query_one_raw(statement).await?;
        let name: String = row.unwrap().try_get("", "name")?;
        let mut url: url::Url = url().parse().unwrap();
        url.set_path(&name);
        let own = sea_orm::Database::connect(url.as_str()).await?;
        own.execute_unprepared("SELECT 1").await?;
        match self {
            Self::OwnConnectionLeftOpen => std::mem::forget(own),
            _ => own.close().await?,
        }
        Ok(())
    }
}

async fn ask(connection: &impl sea_orm::ConnectionTrait, sql: &str) -> Result<(), DbErr> {
    let statement = sea_orm::Statement::from_string(sea_orm::DbBackend::Postgres, sql);
    connection.query_all_raw(statement).await.map(drop)
}
