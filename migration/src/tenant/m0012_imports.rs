//! Price files on their way into the catalogue, and how suppliers write theirs. Expand-only.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.get_connection().execute_unprepared(UP).await?;
        m.get_connection().execute_unprepared(EXPORTS).await?;
        Ok(())
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.get_connection().execute_unprepared(NO_EXPORTS).await?;
        m.get_connection().execute_unprepared(DOWN).await?;
        Ok(())
    }
}

const UP: &str = "
SELECT 1;
";

const DOWN: &str = "
SELECT 1;
";

/// * Who asked for an export may leave: it stays until it expires.
const EXPORTS: &str = "
CREATE TABLE export (
    id uuid CONSTRAINT export_pkey PRIMARY KEY,
    kind text NOT NULL CONSTRAINT export_kind_check CHECK (kind IN ('items')),
    format text NOT NULL CONSTRAINT export_format_check CHECK (format IN ('csv', 'xlsx')),
    columns text[] NOT NULL,
    filter jsonb NOT NULL,
    state text NOT NULL
        CONSTRAINT export_state_check CHECK (state IN ('pending', 'done', 'failed')),
    row_count bigint NOT NULL,
    bytes bigint,
    error text,
    member_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    finished_at timestamptz,
    expires_at timestamptz NOT NULL
);
CREATE INDEX export_expires_at_idx ON export (expires_at);
";

const NO_EXPORTS: &str = "
DROP TABLE export;
";
