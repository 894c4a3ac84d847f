//! Proves the rules that were added beside traffic. Expand-only.

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

const UP: &str = "
ALTER TABLE member VALIDATE CONSTRAINT member_branch_id_fkey;
ALTER TABLE member VALIDATE CONSTRAINT member_role_id_fkey;
ALTER TABLE item VALIDATE CONSTRAINT item_cost_amount_check;
";

const DOWN: &str = "
ALTER TABLE member
    DROP CONSTRAINT member_branch_id_fkey,
    DROP CONSTRAINT member_role_id_fkey;
ALTER TABLE member
    ADD CONSTRAINT member_branch_id_fkey FOREIGN KEY (branch_id) REFERENCES branch (id) NOT VALID,
    ADD CONSTRAINT member_role_id_fkey FOREIGN KEY (role_id) REFERENCES role (id) NOT VALID;
ALTER TABLE item DROP CONSTRAINT item_cost_amount_check;
ALTER TABLE item ADD CONSTRAINT item_cost_amount_check CHECK (cost_amount >= 0) NOT VALID;
";
