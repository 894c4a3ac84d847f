//! Operators of the platform, and what servers say of themselves. Expand-only.

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

// A server says which migrations its code knows (`knows`: the newest) and needs (`needs`: the
// oldest), so that nothing is taken away from under it. What it says of its tenants' requests is
// about a window of a few seconds that is over; `slow_ms` is the 99th percentile of their times.
const UP: &str = r"
CREATE TABLE platform.operator (
    id            uuid        NOT NULL CONSTRAINT operator_pkey PRIMARY KEY,
    email         text        NOT NULL CONSTRAINT operator_email_key UNIQUE
        CONSTRAINT operator_email_folded_check
            CHECK (email = lower(btrim(email)) AND email <> ''),
    name          text        NOT NULL,
    role          text        NOT NULL
        CONSTRAINT operator_role_check CHECK (role IN ('viewer', 'support', 'admin')),
    status        text        NOT NULL
        CONSTRAINT operator_status_check CHECK (status IN ('active', 'disabled')),
    password_hash text        NOT NULL,
    token_version integer     NOT NULL DEFAULT 0,
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL
);

CREATE TABLE platform.operator_session (
    id           uuid        NOT NULL CONSTRAINT operator_session_pkey PRIMARY KEY,
    operator_id  uuid        NOT NULL CONSTRAINT operator_session_operator_id_fkey
        REFERENCES platform.operator (id) ON DELETE CASCADE,
    user_agent   text,
    created_at   timestamptz NOT NULL,
    last_used_at timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    revoked_at   timestamptz
);
CREATE INDEX operator_session_operator_id_idx ON platform.operator_session (operator_id);

CREATE TABLE platform.operator_refresh_token (
    hash       bytea       NOT NULL CONSTRAINT operator_refresh_token_pkey PRIMARY KEY,
    session_id uuid        NOT NULL CONSTRAINT operator_refresh_token_session_id_fkey
        REFERENCES platform.operator_session (id) ON DELETE CASCADE,
    used_at    timestamptz,
    expires_at timestamptz NOT NULL
);
CREATE INDEX operator_refresh_token_session_id_idx
    ON platform.operator_refresh_token (session_id);

CREATE TABLE platform.server_process (
    id         uuid        NOT NULL CONSTRAINT server_process_pkey PRIMARY KEY,
    build      text        NOT NULL,
    knows      text        NOT NULL,
    needs      text        NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    seen_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX server_process_seen_at_idx ON platform.server_process (seen_at);

CREATE TABLE platform.tenant_traffic (
    server_id  uuid        NOT NULL CONSTRAINT tenant_traffic_server_id_fkey
        REFERENCES platform.server_process (id) ON DELETE CASCADE,
    tenant_id  uuid        NOT NULL CONSTRAINT tenant_traffic_tenant_id_fkey
        REFERENCES platform.tenant (id) ON DELETE CASCADE,
    requests   bigint      NOT NULL,
    failures   bigint      NOT NULL,
    slow_ms    bigint      NOT NULL,
    ended_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT tenant_traffic_pkey PRIMARY KEY (server_id, tenant_id)
) WITH (fillfactor = 70);
CREATE INDEX tenant_traffic_tenant_id_idx ON platform.tenant_traffic (tenant_id);
";

const DOWN: &str = r"
DROP TABLE platform.tenant_traffic, platform.server_process, platform.operator_refresh_token,
    platform.operator_session, platform.operator;
";
