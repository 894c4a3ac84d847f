//! Rehearsals of migrations on clones, and which one a run was begun after. Expand-only.

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

// A rehearsal where no clone came through has nothing to predict from. It may be deleted at any
// time: a run only forgets what was predicted then.
const UP: &str = r"
CREATE TABLE platform.rehearsal (
    id             uuid        NOT NULL CONSTRAINT rehearsal_pkey PRIMARY KEY,
    from_versions  text[]      NOT NULL,
    target_version text        NOT NULL,
    build          text        NOT NULL,
    tenants        jsonb       NOT NULL,
    prediction     jsonb,
    actor          text        NOT NULL CONSTRAINT rehearsal_actor_check CHECK (actor <> ''),
    created_at     timestamptz NOT NULL
);
CREATE INDEX rehearsal_target_version_idx ON platform.rehearsal (target_version, created_at);

ALTER TABLE platform.migration_run ADD COLUMN rehearsal_id uuid
    CONSTRAINT migration_run_rehearsal_id_fkey
        REFERENCES platform.rehearsal (id) ON DELETE SET NULL;
CREATE INDEX migration_run_rehearsal_id_idx ON platform.migration_run (rehearsal_id)
    WHERE rehearsal_id IS NOT NULL;
";

const DOWN: &str = r"
ALTER TABLE platform.migration_run DROP COLUMN rehearsal_id;
DROP TABLE platform.rehearsal;
";
