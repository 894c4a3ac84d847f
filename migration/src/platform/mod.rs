//! Schema `platform` (the directory), schema `shared` (what every tenant may call) and schema
//! `jobs` (background work), oldest step first. Runs with the search path `platform, pg_temp`, which is where its history table
//! lands; everything else is qualified.

use sea_orm_migration::prelude::*;

mod m0001_directory;
mod m0002_security_event;
mod m0003_directory_notify;
mod m0004_shared;
mod m0005_plan;
mod m0006_domain_claim;
mod m0007_directory_changes;
mod m0008_life;
mod m0009_migration_run;
mod m0010_operator;
mod m0011_rehearsal;
mod m0012_record;
mod m0013_identity;
mod m0014_jobs;

/// The history of the platform's own schema.
#[derive(Clone, Copy, Debug, Default)]
pub struct PlatformMigrator;

#[async_trait::async_trait]
impl MigratorTrait for PlatformMigrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_directory::Migration),
            Box::new(m0002_security_event::Migration),
            Box::new(m0003_directory_notify::Migration),
            Box::new(m0004_shared::Migration),
            Box::new(m0005_plan::Migration),
            Box::new(m0006_domain_claim::Migration),
            Box::new(m0007_directory_changes::Migration),
            Box::new(m0008_life::Migration),
            Box::new(m0009_migration_run::Migration),
            Box::new(m0010_operator::Migration),
            Box::new(m0011_rehearsal::Migration),
            Box::new(m0012_record::Migration),
            Box::new(m0013_identity::Migration),
            Box::new(m0014_jobs::Migration),
        ]
    }
}

/// The history of schemas `shared` and `jobs` on a node that holds tenants and no platform. Runs with the
/// search path `shared, pg_temp`.
#[derive(Clone, Copy, Debug, Default)]
pub struct NodeMigrator;

#[async_trait::async_trait]
impl MigratorTrait for NodeMigrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0004_shared::Migration),
            Box::new(m0012_record::Migration),
            Box::new(m0014_jobs::Migration),
        ]
    }
}
