//! The guard of records that are only ever added to, for tenants' tables. Expand-only.

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

// It tells the owner's accident from the owner's intent: what is meant says so in its transaction,
// and nobody but the owner has the right to change such rows at all.
const UP: &str = r"
CREATE FUNCTION shared.keep_record() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    IF current_setting('tubex.records_may_go', true) = 'on' THEN
        RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    RAISE EXCEPTION 'records of % are only ever added', TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END
$body$;
COMMENT ON FUNCTION shared.keep_record() IS
    'refuses to change or remove rows of a table that is only ever added to';
REVOKE ALL ON FUNCTION shared.keep_record() FROM PUBLIC;
";

const DOWN: &str = r"
DROP FUNCTION shared.keep_record();
";
