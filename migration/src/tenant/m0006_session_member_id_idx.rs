//! The index that the one before it replaces goes. A contract: builds that don't know that one need this.

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

const UP: &str = "DROP INDEX session_member_id_idx";

const DOWN: &str = "CREATE INDEX session_member_id_idx ON session (member_id)";
