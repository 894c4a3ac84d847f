//! Migrations over the fleet: runs, and each tenant's place in them. Expand-only.

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

// At most one run is unfinished. What a worker holds, it holds by a lease with a name of its own:
// whoever comes back after it has ended finds another's name there and does nothing.
const UP: &str = r"
CREATE TABLE platform.migration_run (
    id             uuid        NOT NULL CONSTRAINT migration_run_pkey PRIMARY KEY,
    reverts        uuid        CONSTRAINT migration_run_reverts_fkey
        REFERENCES platform.migration_run (id),
    target_version text        NOT NULL,
    state          text        NOT NULL CONSTRAINT migration_run_state_check CHECK (
        state IN ('running', 'paused', 'waiting', 'halted', 'cancelled', 'done')),
    reason         text,
    options        jsonb       NOT NULL,
    wave           integer     NOT NULL CONSTRAINT migration_run_wave_check CHECK (wave >= 0),
    waves          integer     NOT NULL CONSTRAINT migration_run_waves_check CHECK (waves > 0),
    verdicts       jsonb       NOT NULL DEFAULT '[]',
    actor          text        NOT NULL CONSTRAINT migration_run_actor_check CHECK (actor <> ''),
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL,
    finished_at    timestamptz
);
CREATE UNIQUE INDEX migration_run_unfinished_idx ON platform.migration_run ((true))
    WHERE state NOT IN ('cancelled', 'done');
CREATE INDEX migration_run_reverts_idx ON platform.migration_run (reverts)
    WHERE reverts IS NOT NULL;

CREATE TABLE platform.migration_run_tenant (
    run_id         uuid        NOT NULL CONSTRAINT migration_run_tenant_run_id_fkey
        REFERENCES platform.migration_run (id) ON DELETE CASCADE,
    tenant_id      uuid        NOT NULL CONSTRAINT migration_run_tenant_tenant_id_fkey
        REFERENCES platform.tenant (id) ON DELETE CASCADE,
    position       integer     NOT NULL,
    wave           integer     NOT NULL,
    state          text        NOT NULL CONSTRAINT migration_run_tenant_state_check CHECK (
        state IN ('pending', 'running', 'done', 'failed', 'skipped', 'quarantined')),
    from_version   text        NOT NULL,
    target_version text        NOT NULL,
    reached        text,
    attempts       integer     NOT NULL DEFAULT 0,
    lock_waits     integer     NOT NULL DEFAULT 0,
    rows_filled    bigint      NOT NULL DEFAULT 0,
    not_before     timestamptz,
    lease          uuid,
    lease_until    timestamptz,
    error          jsonb,
    started_at     timestamptz,
    finished_at    timestamptz,
    CONSTRAINT migration_run_tenant_pkey PRIMARY KEY (run_id, tenant_id),
    CONSTRAINT migration_run_tenant_lease_check
        CHECK ((state = 'running') = (lease IS NOT NULL) AND (lease IS NULL) = (lease_until IS NULL))
) WITH (fillfactor = 70);
CREATE INDEX migration_run_tenant_todo_idx ON platform.migration_run_tenant (run_id, wave, position)
    WHERE state IN ('pending', 'running');
CREATE INDEX migration_run_tenant_tenant_id_idx ON platform.migration_run_tenant (tenant_id);
";

const DOWN: &str = r"
DROP TABLE platform.migration_run_tenant, platform.migration_run;
";
