//! Looks at the barcodes that are there already. A back-fill: over the fleet it runs in batches,
//! outside the transaction of any DDL, and its rows stay when it is taken back.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

/// Fills at most `$1` rows; one that touches none says that all is done.
pub(super) const BATCH: &str = "
UPDATE item_barcode b SET kind = CASE
        WHEN b.barcode !~ '^[0-9]+$' THEN 'other'
        WHEN length(b.barcode) IN (8, 12, 13, 14) THEN 'gtin' || length(b.barcode)
        ELSE 'other' END
    FROM (SELECT barcode FROM item_barcode WHERE kind IS NULL
          ORDER BY barcode LIMIT $1 FOR UPDATE) todo
    WHERE b.barcode = todo.barcode";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let all = BATCH.replace("LIMIT $1 FOR UPDATE", "");
        m.get_connection().execute_unprepared(&all).await?;
        Ok(())
    }

    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Ok(())
    }
}
