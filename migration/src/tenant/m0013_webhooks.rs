//! Who else hears of what happened: endpoints, deliveries, attempts. Expand-only.

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

/// * A secret is sealed by the server; of a pair of keys the public one may be seen. While one secret
///   takes another's place, both sign: the old one has an end.
/// * A delivery holds the very text that is sent, so that every attempt sends the same, however long
///   the event itself is kept. Its round goes up when somebody has it sent anew: what belongs to an
///   older round has no say any more.
const UP: &str = "
CREATE TABLE webhook_endpoint (
    id uuid CONSTRAINT webhook_endpoint_pkey PRIMARY KEY,
    url text NOT NULL,
    description text NOT NULL DEFAULT '',
    event_types text[] NOT NULL,
    signing text NOT NULL
        CONSTRAINT webhook_endpoint_signing_check CHECK (signing IN ('v1', 'v1a', 'both')),
    public_key text,
    is_enabled boolean NOT NULL DEFAULT true,
    disabled_because text
        CONSTRAINT webhook_endpoint_disabled_because_check
        CHECK (disabled_because IN ('gone', 'failing')),
    failing_since timestamptz,
    not_before timestamptz,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

CREATE TABLE webhook_secret (
    id uuid CONSTRAINT webhook_secret_pkey PRIMARY KEY,
    endpoint_id uuid NOT NULL CONSTRAINT webhook_secret_endpoint_id_fkey
        REFERENCES webhook_endpoint (id) ON DELETE CASCADE,
    scheme text NOT NULL
        CONSTRAINT webhook_secret_scheme_check CHECK (scheme IN ('v1', 'v1a')),
    sealed_secret bytea NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz
);
CREATE INDEX webhook_secret_endpoint_id_idx ON webhook_secret (endpoint_id);

CREATE TABLE webhook_delivery (
    id uuid CONSTRAINT webhook_delivery_pkey PRIMARY KEY,
    endpoint_id uuid NOT NULL CONSTRAINT webhook_delivery_endpoint_id_fkey
        REFERENCES webhook_endpoint (id) ON DELETE CASCADE,
    event_type text NOT NULL,
    payload text NOT NULL,
    state text NOT NULL CONSTRAINT webhook_delivery_state_check
        CHECK (state IN ('pending', 'delivered', 'failed')),
    round integer NOT NULL DEFAULT 1,
    attempts integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz,
    created_at timestamptz NOT NULL,
    ended_at timestamptz
);
CREATE INDEX webhook_delivery_endpoint_id_idx ON webhook_delivery (endpoint_id, id);
CREATE INDEX webhook_delivery_state_idx ON webhook_delivery (state, id);
CREATE INDEX webhook_delivery_event_type_idx ON webhook_delivery (event_type, id);

CREATE TABLE webhook_attempt (
    id uuid CONSTRAINT webhook_attempt_pkey PRIMARY KEY,
    delivery_id uuid NOT NULL CONSTRAINT webhook_attempt_delivery_id_fkey
        REFERENCES webhook_delivery (id) ON DELETE CASCADE,
    round integer NOT NULL,
    number integer NOT NULL,
    at timestamptz NOT NULL,
    duration_ms integer NOT NULL,
    status integer,
    error text,
    answer text
);
CREATE INDEX webhook_attempt_delivery_id_idx ON webhook_attempt (delivery_id, id);
";

const DOWN: &str = "
DROP TABLE webhook_attempt;
DROP TABLE webhook_delivery;
DROP TABLE webhook_secret;
DROP TABLE webhook_endpoint;
";
