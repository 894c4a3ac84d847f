//! Sessions of a member, the latest last, without sorting. Expand-only; built beside traffic over the fleet.

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

/// The index, and how it is built where others are reading and writing.
pub(super) const INDEX: &str = "session_member_id_last_used_at_idx";
pub(super) const CONCURRENTLY: &str = "CREATE INDEX CONCURRENTLY \
     session_member_id_last_used_at_idx ON session (member_id, last_used_at)";

const UP: &str =
    "CREATE INDEX session_member_id_last_used_at_idx ON session (member_id, last_used_at)";

const DOWN: &str = "DROP INDEX session_member_id_last_used_at_idx";
