//! What kind of barcode it is; empty means that nobody has looked. Expand-only.

use sea_orm_migration::prelude::*;

use super::declared::Waiver;

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

pub(super) const WAIVERS: &[Waiver] = &[Waiver {
    code: "check-under-lock",
    reason: "it was released before checks were; the largest dealer's barcodes (50,000) are read in \
             about 10 ms, and the runner gives up a lock that it can't have within 200 ms",
}];

const UP: &str = "
ALTER TABLE item_barcode ADD COLUMN kind text
    CONSTRAINT item_barcode_kind_check CHECK (kind IN ('gtin8', 'gtin12', 'gtin13', 'gtin14',
        'other'))";

const DOWN: &str = "ALTER TABLE item_barcode DROP COLUMN kind";
