//! History of a dealer's schema, oldest first.
//!
//! The statements name no schema: the transaction's search path decides whose tables they are
//! (`t_x, shared, pg_temp`). Every constraint has a name, because code refers to it.

mod m0001_team;
mod m0002_catalogue;

use sea_orm_migration::prelude::*;

/// Carries one dealer's schema from any version to the newest.
#[derive(Debug, Clone, Copy, Default)]
pub struct TenantMigrator;

#[async_trait::async_trait]
impl MigratorTrait for TenantMigrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_team::Migration),
            Box::new(m0002_catalogue::Migration),
        ]
    }
}
