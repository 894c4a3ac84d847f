//! What was done: the audit trail, and answers kept for requests that are sent again. Expand-only.

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

/// * `audit_record.content` is `json`, not `jsonb`: the very bytes that were hashed. What is searched
///   for is generated from it, so it can't say another thing.
/// * Each hash covers the one before: whoever changes, removes or reorders a record breaks the chain.
/// * The dealer's role may add records, and neither change nor remove any; the trigger refuses that
///   to the owner too, unless it says in its transaction that it means to.
const UP: &str = "
CREATE TABLE audit_head (
    is_only boolean CONSTRAINT audit_head_pkey PRIMARY KEY
        CONSTRAINT audit_head_is_only_check CHECK (is_only),
    seq bigint NOT NULL,
    hash bytea NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE audit_record (
    seq bigint CONSTRAINT audit_record_pkey PRIMARY KEY,
    content json NOT NULL,
    hash bytea NOT NULL,
    id uuid NOT NULL
        CONSTRAINT audit_record_id_key UNIQUE,
    at timestamptz NOT NULL,
    action text NOT NULL GENERATED ALWAYS AS (coalesce(content ->> 'action', '')) STORED,
    actor_kind text NOT NULL
        GENERATED ALWAYS AS (coalesce(content -> 'actor' ->> 'kind', '')) STORED,
    actor_id text GENERATED ALWAYS AS (content -> 'actor' ->> 'id') STORED,
    target_kind text NOT NULL
        GENERATED ALWAYS AS (coalesce(content -> 'target' ->> 'kind', '')) STORED,
    target_id text GENERATED ALWAYS AS (content -> 'target' ->> 'id') STORED
);
CREATE INDEX audit_record_target_idx ON audit_record (target_kind, target_id, seq);
CREATE INDEX audit_record_actor_idx ON audit_record (actor_id, seq);
CREATE INDEX audit_record_action_idx ON audit_record (action, seq);
CREATE TRIGGER audit_record_kept BEFORE UPDATE OR DELETE ON audit_record
    FOR EACH ROW EXECUTE FUNCTION shared.keep_record();
CREATE TRIGGER audit_record_not_emptied BEFORE TRUNCATE ON audit_record
    FOR EACH STATEMENT EXECUTE FUNCTION shared.keep_record();
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = current_schema()) THEN
        EXECUTE format('REVOKE UPDATE, DELETE ON audit_record FROM %I', current_schema());
    END IF;
END
$$;

CREATE TABLE idempotency_key (
    actor text NOT NULL,
    key text NOT NULL,
    fingerprint bytea NOT NULL,
    status smallint NOT NULL,
    headers jsonb NOT NULL,
    body bytea NOT NULL,
    is_sealed boolean NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT idempotency_key_pkey PRIMARY KEY (actor, key)
);
CREATE INDEX idempotency_key_expires_at_idx ON idempotency_key (expires_at);

ALTER TABLE setting ADD COLUMN version bigint NOT NULL DEFAULT 1;
ALTER TABLE item ADD COLUMN cost_amount numeric(18, 6);
ALTER TABLE item ADD CONSTRAINT item_cost_amount_check CHECK (cost_amount >= 0) NOT VALID;
";

const DOWN: &str = "
ALTER TABLE item DROP COLUMN cost_amount;
ALTER TABLE setting DROP COLUMN version;
DROP TABLE idempotency_key;
DROP TABLE audit_record;
DROP TABLE audit_head;
";
