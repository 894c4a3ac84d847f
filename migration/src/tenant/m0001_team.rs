//! The dealer's people, their sessions, and the dealer's settings. Expand-only: the first version.

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

/// `member.token_version` goes up when everything a member was ever issued must stop working.
/// A session is the family of all refresh tokens that descend from one sign-in; only the hash of
/// a token is kept, and a replaced one stays until it expires, so that its reuse is noticed.
const UP: &str = "
CREATE TABLE setting (
    key text CONSTRAINT setting_pkey PRIMARY KEY,
    value jsonb NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE member (
    id uuid CONSTRAINT member_pkey PRIMARY KEY,
    email text NOT NULL
        CONSTRAINT member_email_key UNIQUE
        CONSTRAINT member_email_folded_check CHECK (email = lower(btrim(email)) AND email <> ''),
    name text NOT NULL,
    role text NOT NULL
        CONSTRAINT member_role_check CHECK (role IN ('owner', 'admin', 'branch_manager', 'sales',
            'counter', 'warehouse', 'driver', 'accounts', 'buyer', 'viewer')),
    status text NOT NULL
        CONSTRAINT member_status_check CHECK (status IN ('active', 'disabled')),
    password_hash text,
    token_version integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE session (
    id uuid CONSTRAINT session_pkey PRIMARY KEY,
    member_id uuid NOT NULL
        CONSTRAINT session_member_id_fkey REFERENCES member (id) ON DELETE CASCADE,
    user_agent text,
    created_at timestamptz NOT NULL,
    last_used_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz
);
CREATE INDEX session_member_id_idx ON session (member_id);
CREATE INDEX session_expires_at_idx ON session (expires_at);

CREATE TABLE refresh_token (
    hash bytea CONSTRAINT refresh_token_pkey PRIMARY KEY,
    session_id uuid NOT NULL
        CONSTRAINT refresh_token_session_id_fkey REFERENCES session (id) ON DELETE CASCADE,
    issued_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    replaced_at timestamptz
);
CREATE INDEX refresh_token_session_id_idx ON refresh_token (session_id);
";

const DOWN: &str = "
DROP TABLE refresh_token;
DROP TABLE session;
DROP TABLE member;
DROP TABLE setting;
";
