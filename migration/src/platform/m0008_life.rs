//! The rest of a tenant's life: spares, tags, holds, exports, and what is known of each schema. Expand-only.

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

// A spare is a complete tenant that is nobody's yet; its slug is its schema's name with a hyphen,
// which no person may choose. One that is gone keeps its row, so that its slug stays taken.
//
// A keeper of spares makes none before `not_before`: it rests, whichever of its processes it was.
//
// What changes often stands beside the entry, not in it: each change of an entry is told to all
// servers.
const UP: &str = r"
ALTER TABLE platform.tenant DROP CONSTRAINT tenant_status_check;
ALTER TABLE platform.tenant
    ADD CONSTRAINT tenant_status_check CHECK (status IN ('spare', 'provisioning', 'active',
        'suspended', 'past_grace', 'closing', 'archived', 'gone')),
    ADD COLUMN tags text[] NOT NULL DEFAULT '{}',
    ADD COLUMN legal_hold text CONSTRAINT tenant_legal_hold_check CHECK (legal_hold <> '');
CREATE INDEX tenant_unborn_idx ON platform.tenant (status, id)
    WHERE status IN ('spare', 'provisioning');

CREATE TABLE platform.tenant_vitals (
    tenant_id      uuid NOT NULL CONSTRAINT tenant_vitals_pkey PRIMARY KEY
        CONSTRAINT tenant_vitals_tenant_id_fkey REFERENCES platform.tenant (id) ON DELETE CASCADE,
    size_bytes     bigint,
    last_active_at timestamptz,
    drift          jsonb,
    examined_at    timestamptz
);
CREATE INDEX tenant_vitals_drift_idx ON platform.tenant_vitals (tenant_id) WHERE drift IS NOT NULL;

CREATE TABLE platform.tenant_export (
    id           uuid        NOT NULL CONSTRAINT tenant_export_pkey PRIMARY KEY,
    tenant_id    uuid        NOT NULL
        CONSTRAINT tenant_export_tenant_id_fkey REFERENCES platform.tenant (id),
    location     text        NOT NULL CONSTRAINT tenant_export_location_check CHECK (location <> ''),
    bytes        bigint      NOT NULL CONSTRAINT tenant_export_bytes_check CHECK (bytes >= 0),
    sha256       text        NOT NULL
        CONSTRAINT tenant_export_sha256_hex_check CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    keep_until   timestamptz,
    actor        text        NOT NULL,
    created_at   timestamptz NOT NULL,
    destroyed_at timestamptz
);
CREATE INDEX tenant_export_tenant_id_idx ON platform.tenant_export (tenant_id, created_at);

CREATE TABLE platform.spare_goal (
    node_id    uuid        NOT NULL CONSTRAINT spare_goal_pkey PRIMARY KEY
        CONSTRAINT spare_goal_node_id_fkey REFERENCES platform.node (id) ON DELETE CASCADE,
    keep       integer     NOT NULL CONSTRAINT spare_goal_keep_check CHECK (keep BETWEEN 0 AND 1000),
    not_before timestamptz,
    updated_at timestamptz NOT NULL
);
";

const DOWN: &str = r"
DROP TABLE platform.spare_goal, platform.tenant_export, platform.tenant_vitals;
DROP INDEX platform.tenant_unborn_idx;
ALTER TABLE platform.tenant DROP COLUMN legal_hold, DROP COLUMN tags,
    DROP CONSTRAINT tenant_status_check;
ALTER TABLE platform.tenant
    ADD CONSTRAINT tenant_status_check CHECK (status IN ('provisioning', 'active', 'suspended',
        'past_grace', 'closing', 'archived'));
";
