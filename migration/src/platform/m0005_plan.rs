//! Plans: what a tenant may use. Lanes can be retired. Expand-only: whoever knows no plan reads none.

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

// Nulls mean what the server is configured with.
const UP: &str = r"
CREATE TABLE platform.plan (
    id                             uuid        NOT NULL CONSTRAINT plan_pkey PRIMARY KEY,
    name                           text        NOT NULL CONSTRAINT plan_name_key UNIQUE
        CONSTRAINT plan_name_check CHECK (name ~ '^[a-z0-9][a-z0-9_-]{0,39}$'),
    concurrency                    integer     CONSTRAINT plan_concurrency_check
        CHECK (concurrency BETWEEN 1 AND 1000),
    statement_timeout_ms           integer     CONSTRAINT plan_statement_timeout_ms_check
        CHECK (statement_timeout_ms BETWEEN 10 AND 600000),
    idle_in_transaction_timeout_ms integer     CONSTRAINT plan_idle_in_transaction_timeout_ms_check
        CHECK (idle_in_transaction_timeout_ms BETWEEN 10 AND 600000),
    dedicated_lane                 boolean     NOT NULL DEFAULT false,
    created_at                     timestamptz NOT NULL DEFAULT now(),
    updated_at                     timestamptz NOT NULL DEFAULT now()
);

ALTER TABLE platform.tenant
    ADD COLUMN plan_id uuid CONSTRAINT tenant_plan_id_fkey REFERENCES platform.plan (id);
CREATE INDEX tenant_plan_id_idx ON platform.tenant (plan_id);

ALTER TABLE platform.lane
    ADD COLUMN state text NOT NULL DEFAULT 'open'
        CONSTRAINT lane_state_check CHECK (state IN ('open', 'retiring'));
";

const DOWN: &str = r"
ALTER TABLE platform.lane DROP COLUMN state;
ALTER TABLE platform.tenant DROP COLUMN plan_id;
DROP TABLE platform.plan;
";
