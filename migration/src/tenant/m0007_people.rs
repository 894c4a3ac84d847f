//! Branches, teams, roles of the dealer's own, invitations and one-time tokens. Expand-only.

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
    code: "foreign-key-without-index",
    reason: "members are a few hundred at most, and branches and roles hardly ever go: reading all of \
             them then costs less than two indexes with every sign-in",
}];

/// * A member has a built-in role, or one of the dealer's own: then `role` is what code goes by that
///   does not know those, and it is the least.
/// * Of a token that is mailed or handed out once only the hash is kept.
const UP: &str = "
CREATE TABLE branch (
    id uuid CONSTRAINT branch_pkey PRIMARY KEY,
    name text NOT NULL
        CONSTRAINT branch_name_key UNIQUE
        CONSTRAINT branch_name_check CHECK (name = btrim(name) AND name <> ''),
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

CREATE TABLE team (
    id uuid CONSTRAINT team_pkey PRIMARY KEY,
    branch_id uuid
        CONSTRAINT team_branch_id_fkey REFERENCES branch (id),
    name text NOT NULL
        CONSTRAINT team_name_key UNIQUE
        CONSTRAINT team_name_check CHECK (name = btrim(name) AND name <> ''),
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX team_branch_id_idx ON team (branch_id);

CREATE TABLE role (
    id uuid CONSTRAINT role_pkey PRIMARY KEY,
    name text NOT NULL
        CONSTRAINT role_name_key UNIQUE
        CONSTRAINT role_name_check CHECK (name = btrim(name) AND name <> ''),
    description text NOT NULL DEFAULT '',
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

CREATE TABLE role_grant (
    role_id uuid NOT NULL
        CONSTRAINT role_grant_role_id_fkey REFERENCES role (id) ON DELETE CASCADE,
    permission text NOT NULL,
    scope text NOT NULL
        CONSTRAINT role_grant_scope_check CHECK (scope IN ('all', 'branch', 'team', 'own')),
    CONSTRAINT role_grant_pkey PRIMARY KEY (role_id, permission)
);

ALTER TABLE member
    ADD COLUMN email_verified_at timestamptz,
    ADD COLUMN password_changed_at timestamptz,
    ADD COLUMN last_sign_in_at timestamptz,
    ADD COLUMN branch_id uuid,
    ADD COLUMN role_id uuid,
    ADD COLUMN version bigint NOT NULL DEFAULT 1;
ALTER TABLE member
    ADD CONSTRAINT member_branch_id_fkey FOREIGN KEY (branch_id) REFERENCES branch (id) NOT VALID,
    ADD CONSTRAINT member_role_id_fkey FOREIGN KEY (role_id) REFERENCES role (id) NOT VALID;

CREATE TABLE team_member (
    team_id uuid NOT NULL
        CONSTRAINT team_member_team_id_fkey REFERENCES team (id) ON DELETE CASCADE,
    member_id uuid NOT NULL
        CONSTRAINT team_member_member_id_fkey REFERENCES member (id) ON DELETE CASCADE,
    CONSTRAINT team_member_pkey PRIMARY KEY (team_id, member_id)
);
CREATE INDEX team_member_member_id_idx ON team_member (member_id);

CREATE TABLE invitation (
    id uuid CONSTRAINT invitation_pkey PRIMARY KEY,
    email text NOT NULL
        CONSTRAINT invitation_email_folded_check CHECK (email = lower(btrim(email)) AND email <> ''),
    name text NOT NULL DEFAULT '',
    role text NOT NULL
        CONSTRAINT invitation_role_check CHECK (role IN ('owner', 'admin', 'branch_manager', 'sales',
            'counter', 'warehouse', 'driver', 'accounts', 'buyer', 'viewer')),
    role_id uuid
        CONSTRAINT invitation_role_id_fkey REFERENCES role (id) ON DELETE CASCADE,
    branch_id uuid
        CONSTRAINT invitation_branch_id_fkey REFERENCES branch (id) ON DELETE CASCADE,
    token_hash bytea NOT NULL
        CONSTRAINT invitation_token_hash_key UNIQUE,
    invited_by uuid
        CONSTRAINT invitation_invited_by_fkey REFERENCES member (id) ON DELETE SET NULL,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    accepted_at timestamptz,
    revoked_at timestamptz
);
CREATE UNIQUE INDEX invitation_email_idx ON invitation (email)
    WHERE accepted_at IS NULL AND revoked_at IS NULL;
CREATE INDEX invitation_role_id_idx ON invitation (role_id);
CREATE INDEX invitation_branch_id_idx ON invitation (branch_id);
CREATE INDEX invitation_invited_by_idx ON invitation (invited_by);

CREATE TABLE one_time_token (
    hash bytea CONSTRAINT one_time_token_pkey PRIMARY KEY,
    kind text NOT NULL
        CONSTRAINT one_time_token_kind_check CHECK (kind IN ('email_verification', 'email_change',
            'password_reset', 'second_factor', 'sso_state', 'switch')),
    member_id uuid
        CONSTRAINT one_time_token_member_id_fkey REFERENCES member (id) ON DELETE CASCADE,
    payload jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz
);
CREATE INDEX one_time_token_member_id_idx ON one_time_token (member_id);
CREATE INDEX one_time_token_expires_at_idx ON one_time_token (expires_at);
";

const DOWN: &str = "
DROP TABLE one_time_token;
DROP TABLE invitation;
DROP TABLE team_member;
ALTER TABLE member
    DROP COLUMN email_verified_at,
    DROP COLUMN password_changed_at,
    DROP COLUMN last_sign_in_at,
    DROP COLUMN branch_id,
    DROP COLUMN role_id,
    DROP COLUMN version;
DROP TABLE role_grant;
DROP TABLE role;
DROP TABLE team;
DROP TABLE branch;
";
