//! What happened, in the order in which it became true: for who follows it live. Expand-only.

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

/// * Ids come from the head, whose row is locked from there to the commit: nobody sees an event before
///   all that have a smaller id, so whoever has seen up to one has seen all before it. A sequence
///   could not promise that.
/// * An event with an audience is that one member's only.
const UP: &str = "
CREATE TABLE event_head (
    is_only boolean CONSTRAINT event_head_pkey PRIMARY KEY
        CONSTRAINT event_head_is_only_check CHECK (is_only),
    last_id bigint NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE event (
    id bigint CONSTRAINT event_pkey PRIMARY KEY,
    kind text NOT NULL,
    topic text NOT NULL,
    at timestamptz NOT NULL,
    audience uuid,
    data jsonb NOT NULL
);
CREATE INDEX event_at_idx ON event (at);
";

const DOWN: &str = "
DROP TABLE event;
DROP TABLE event_head;
";
