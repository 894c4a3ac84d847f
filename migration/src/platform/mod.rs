//! Schema `platform` (the directory) and schema `shared` (what every tenant may call), oldest
//! step first. Runs with the search path `platform, pg_temp`, which is where its history table
//! lands; everything else is qualified.

use sea_orm_migration::prelude::*;

mod m0001_directory;
mod m0002_security_event;
mod m0003_directory_notify;
mod m0004_shared;

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
        ]
    }
}
