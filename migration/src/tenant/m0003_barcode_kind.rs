//! What kind of barcode it is; empty means that nobody has looked. Expand-only.

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

const UP: &str = "
ALTER TABLE item_barcode ADD COLUMN kind text
    CONSTRAINT item_barcode_kind_check CHECK (kind IN ('gtin8', 'gtin12', 'gtin13', 'gtin14',
        'other'))";

const DOWN: &str = "ALTER TABLE item_barcode DROP COLUMN kind";
