//! The directory: nodes, lanes, tenants, their domains and their lives. Expand-only: the first step.

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

const UP: &str = r"
CREATE TABLE platform.node (
    id          uuid        NOT NULL CONSTRAINT node_pkey PRIMARY KEY,
    name        text        NOT NULL CONSTRAINT node_name_key UNIQUE,
    host        text,
    port        integer     CONSTRAINT node_port_check CHECK (port BETWEEN 1 AND 65535),
    database    text,
    created_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE platform.lane (
    id          uuid        NOT NULL CONSTRAINT lane_pkey PRIMARY KEY,
    node_id     uuid        NOT NULL CONSTRAINT lane_node_id_fkey REFERENCES platform.node (id),
    login_role  text        NOT NULL CONSTRAINT lane_login_role_key UNIQUE
        CONSTRAINT lane_login_role_check CHECK (login_role ~ '^lane_[0-9a-f]{16}$'),
    width       integer     NOT NULL CONSTRAINT lane_width_check CHECK (width > 0),
    capacity    integer     NOT NULL CONSTRAINT lane_capacity_check CHECK (capacity BETWEEN 1 AND 500),
    dedicated   boolean     NOT NULL DEFAULT false,
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX lane_node_id_idx ON platform.lane (node_id);

-- The slug's rule is repeated here in its coarse form only: reserved words may change with the
-- build, what can stand in a host name may not.
CREATE TABLE platform.tenant (
    id             uuid        NOT NULL CONSTRAINT tenant_pkey PRIMARY KEY,
    slug           text        NOT NULL CONSTRAINT tenant_slug_key UNIQUE
        CONSTRAINT tenant_slug_check CHECK (slug ~ '^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])$'),
    name           text        NOT NULL CONSTRAINT tenant_name_check CHECK (name <> ''),
    schema_name    text        NOT NULL CONSTRAINT tenant_schema_name_key UNIQUE
        CONSTRAINT tenant_schema_name_check CHECK (schema_name ~ '^t_[0-9a-f]{16}$'),
    lane_id        uuid        NOT NULL CONSTRAINT tenant_lane_id_fkey REFERENCES platform.lane (id),
    status         text        NOT NULL CONSTRAINT tenant_status_check CHECK (
        status IN ('provisioning', 'active', 'suspended', 'past_grace', 'closing', 'archived')),
    schema_version text        NOT NULL
        CONSTRAINT tenant_schema_version_check CHECK (schema_version <> ''),
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX tenant_lane_id_idx ON platform.tenant (lane_id);
CREATE INDEX tenant_status_slug_idx ON platform.tenant (status, slug);
-- Tenants behind are found by their version, without visiting one schema.
CREATE INDEX tenant_schema_version_idx ON platform.tenant (schema_version);

CREATE TABLE platform.tenant_domain (
    id          uuid        NOT NULL CONSTRAINT tenant_domain_pkey PRIMARY KEY,
    tenant_id   uuid        NOT NULL
        CONSTRAINT tenant_domain_tenant_id_fkey REFERENCES platform.tenant (id),
    domain      text        NOT NULL CONSTRAINT tenant_domain_domain_key UNIQUE
        CONSTRAINT tenant_domain_domain_check CHECK (
            length(domain) <= 253
            AND domain ~ '^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]*[a-z0-9])?$'),
    verified_at timestamptz,
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX tenant_domain_tenant_id_idx ON platform.tenant_domain (tenant_id);

CREATE TABLE platform.tenant_event (
    id          uuid        NOT NULL CONSTRAINT tenant_event_pkey PRIMARY KEY,
    tenant_id   uuid        NOT NULL
        CONSTRAINT tenant_event_tenant_id_fkey REFERENCES platform.tenant (id),
    kind        text        NOT NULL CONSTRAINT tenant_event_kind_check CHECK (kind <> ''),
    actor       text        NOT NULL CONSTRAINT tenant_event_actor_check CHECK (actor <> ''),
    detail      jsonb       NOT NULL DEFAULT '{}',
    at          timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX tenant_event_tenant_id_at_idx ON platform.tenant_event (tenant_id, at);
";

const DOWN: &str = r"
DROP TABLE platform.tenant_event, platform.tenant_domain, platform.tenant, platform.lane,
    platform.node;
";
