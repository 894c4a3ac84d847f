//! What the server notices at the walls between tenants. Expand-only: nothing older reads it.

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
        m.get_connection()
            .execute_unprepared("DROP TABLE platform.security_event")
            .await?;
        Ok(())
    }
}

// No foreign key to the tenant: the record must outlive it, and the server, which may insert and
// nothing else, must not need a lock on the directory to write one.
const UP: &str = r"
CREATE TABLE platform.security_event (
    id          uuid        NOT NULL CONSTRAINT security_event_pkey PRIMARY KEY,
    tenant_id   uuid,
    kind        text        NOT NULL CONSTRAINT security_event_kind_check CHECK (kind <> ''),
    detail      jsonb       NOT NULL DEFAULT '{}',
    request_id  text,
    at          timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX security_event_at_idx ON platform.security_event (at);
CREATE INDEX security_event_tenant_id_at_idx ON platform.security_event (tenant_id, at);
";
