//! History of a dealer's schema, oldest first.
//!
//! The statements name no schema: the transaction's search path decides whose tables they are
//! (`t_x, shared, pg_temp`). Every constraint has a name, because code refers to it.

mod declared;
mod m0001_team;
mod m0002_catalogue;
mod m0003_barcode_kind;
mod m0004_barcode_kind_fill;
mod m0005_session_recent_idx;
mod m0006_session_member_id_idx;
mod m0007_people;
mod m0008_access;
mod m0009_record;
mod m0010_references_proven;
mod m0011_events;
mod m0012_imports;
mod m0013_webhooks;
mod m0014_notifications;
mod m0015_item_updated_at_idx;

use sea_orm_migration::prelude::*;

pub use self::declared::{Kind, Waiver, Way, declared, waivers};

/// Carries one dealer's schema from any version to the newest.
#[derive(Debug, Clone, Copy, Default)]
pub struct TenantMigrator;

#[async_trait::async_trait]
impl MigratorTrait for TenantMigrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_team::Migration),
            Box::new(m0002_catalogue::Migration),
            Box::new(m0003_barcode_kind::Migration),
            Box::new(m0004_barcode_kind_fill::Migration),
            Box::new(m0005_session_recent_idx::Migration),
            Box::new(m0006_session_member_id_idx::Migration),
            Box::new(m0007_people::Migration),
            Box::new(m0008_access::Migration),
            Box::new(m0009_record::Migration),
            Box::new(m0010_references_proven::Migration),
            Box::new(m0011_events::Migration),
            Box::new(m0012_imports::Migration),
            Box::new(m0013_webhooks::Migration),
            Box::new(m0014_notifications::Migration),
            Box::new(m0015_item_updated_at_idx::Migration),
        ]
    }
}
