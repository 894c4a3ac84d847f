//! How people and machines prove who they are: sessions, second factors, single sign-on, API keys. Expand-only.

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

/// * `access_state` has one row at most. Its epoch goes up with every change after which an answer
///   to \"who is this, and what may they do\" may be another one: servers compare it before they
///   believe what they remember. Its token version goes up when all tokens of the dealer are void.
/// * What is sealed is encrypted by the server, under a key that the database never sees.
const UP: &str = "
CREATE TABLE access_state (
    is_only boolean CONSTRAINT access_state_pkey PRIMARY KEY
        CONSTRAINT access_state_is_only_check CHECK (is_only),
    epoch bigint NOT NULL DEFAULT 0,
    token_version integer NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

ALTER TABLE session
    ADD COLUMN method text NOT NULL DEFAULT 'password',
    ADD COLUMN client text NOT NULL DEFAULT 'bearer',
    ADD COLUMN address text,
    ADD COLUMN proven_at timestamptz,
    ADD COLUMN second_factor_at timestamptz,
    ADD COLUMN ends_at timestamptz,
    ADD COLUMN ended_because text;

ALTER TABLE refresh_token
    ADD COLUMN replaced_by bytea,
    ADD COLUMN client bytea;

CREATE TABLE totp_credential (
    member_id uuid CONSTRAINT totp_credential_pkey PRIMARY KEY
        CONSTRAINT totp_credential_member_id_fkey REFERENCES member (id) ON DELETE CASCADE,
    sealed_secret bytea NOT NULL,
    last_step bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    confirmed_at timestamptz
);

CREATE TABLE recovery_code (
    hash bytea CONSTRAINT recovery_code_pkey PRIMARY KEY,
    member_id uuid NOT NULL
        CONSTRAINT recovery_code_member_id_fkey REFERENCES member (id) ON DELETE CASCADE,
    used_at timestamptz
);
CREATE INDEX recovery_code_member_id_idx ON recovery_code (member_id);

CREATE TABLE sso_connection (
    id uuid CONSTRAINT sso_connection_pkey PRIMARY KEY,
    name text NOT NULL
        CONSTRAINT sso_connection_name_key UNIQUE,
    issuer text NOT NULL,
    client_id text NOT NULL,
    sealed_client_secret bytea NOT NULL,
    default_role text NOT NULL
        CONSTRAINT sso_connection_default_role_check CHECK (default_role IN ('admin',
            'branch_manager', 'sales', 'counter', 'warehouse', 'driver', 'accounts', 'buyer',
            'viewer')),
    provisions boolean NOT NULL DEFAULT true,
    is_enforced boolean NOT NULL DEFAULT false,
    is_enabled boolean NOT NULL DEFAULT true,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

CREATE TABLE sso_domain (
    domain text CONSTRAINT sso_domain_pkey PRIMARY KEY
        CONSTRAINT sso_domain_folded_check CHECK (domain = lower(domain) AND domain <> ''),
    connection_id uuid NOT NULL
        CONSTRAINT sso_domain_connection_id_fkey REFERENCES sso_connection (id) ON DELETE CASCADE,
    challenge text NOT NULL,
    verified_at timestamptz,
    created_at timestamptz NOT NULL
);
CREATE INDEX sso_domain_connection_id_idx ON sso_domain (connection_id);

CREATE TABLE sso_identity (
    connection_id uuid NOT NULL
        CONSTRAINT sso_identity_connection_id_fkey REFERENCES sso_connection (id) ON DELETE CASCADE,
    subject text NOT NULL,
    member_id uuid NOT NULL
        CONSTRAINT sso_identity_member_id_fkey REFERENCES member (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    last_used_at timestamptz NOT NULL,
    CONSTRAINT sso_identity_pkey PRIMARY KEY (connection_id, subject)
);
CREATE INDEX sso_identity_member_id_idx ON sso_identity (member_id);

CREATE TABLE api_key (
    id uuid CONSTRAINT api_key_pkey PRIMARY KEY,
    name text NOT NULL
        CONSTRAINT api_key_name_check CHECK (name = btrim(name) AND name <> ''),
    member_id uuid NOT NULL
        CONSTRAINT api_key_member_id_fkey REFERENCES member (id) ON DELETE CASCADE,
    secret_hash bytea NOT NULL,
    permissions text[] NOT NULL,
    addresses text[] NOT NULL DEFAULT '{}',
    per_minute integer
        CONSTRAINT api_key_per_minute_check CHECK (per_minute > 0),
    replaces uuid
        CONSTRAINT api_key_replaces_fkey REFERENCES api_key (id) ON DELETE SET NULL,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    expires_at timestamptz,
    revoked_at timestamptz,
    last_used_at timestamptz,
    last_used_from text
) WITH (fillfactor = 80);
CREATE INDEX api_key_member_id_idx ON api_key (member_id);
CREATE INDEX api_key_replaces_idx ON api_key (replaces);

CREATE TABLE api_key_usage (
    key_id uuid NOT NULL
        CONSTRAINT api_key_usage_key_id_fkey REFERENCES api_key (id) ON DELETE CASCADE,
    operation text NOT NULL,
    day date NOT NULL,
    calls bigint NOT NULL,
    CONSTRAINT api_key_usage_pkey PRIMARY KEY (key_id, day, operation)
) WITH (fillfactor = 80);
";

const DOWN: &str = "
DROP TABLE api_key_usage;
DROP TABLE api_key;
DROP TABLE sso_identity;
DROP TABLE sso_domain;
DROP TABLE sso_connection;
DROP TABLE recovery_code;
DROP TABLE totp_credential;
ALTER TABLE refresh_token
    DROP COLUMN replaced_by,
    DROP COLUMN client;
ALTER TABLE session
    DROP COLUMN method,
    DROP COLUMN client,
    DROP COLUMN address,
    DROP COLUMN proven_at,
    DROP COLUMN second_factor_at,
    DROP COLUMN ends_at,
    DROP COLUMN ended_because;
DROP TABLE access_state;
";
