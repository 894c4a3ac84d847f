//! Items that changed since, the latest last, without sorting. Expand-only; built beside traffic over the fleet.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.get_connection().execute_unprepared(UP).await?;
        Ok(())
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.get_connection().execute_unprepared(DOWN).await?;
        Ok(())
    }
}

/// The index, and how it is built where others are reading and writing.
pub(super) const INDEX: &str = "item_updated_at_idx";
pub(super) const CONCURRENTLY: &str = "CREATE INDEX CONCURRENTLY \
     item_updated_at_idx ON item (updated_at, sku)";

const UP: &str = "CREATE INDEX item_updated_at_idx ON item (updated_at, sku)";

const DOWN: &str = "DROP INDEX item_updated_at_idx";
