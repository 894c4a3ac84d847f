//! A domain is claimed first and verified later, and an idle claim keeps nobody out: only a verified
//! domain is one tenant's alone. Expand-only for readers, who look at verified domains only.

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

// The challenge is what the domain's owner puts into DNS. Older rows get one that is as hard to
// guess; they are shown it when they ask.
const UP: &str = r"
ALTER TABLE platform.tenant_domain
    ADD COLUMN challenge text NOT NULL
        DEFAULT replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', '')
        CONSTRAINT tenant_domain_challenge_check CHECK (challenge ~ '^[A-Za-z0-9_-]{32,64}$');
ALTER TABLE platform.tenant_domain
    DROP CONSTRAINT tenant_domain_domain_key,
    ADD CONSTRAINT tenant_domain_tenant_id_domain_key UNIQUE (tenant_id, domain);
CREATE UNIQUE INDEX tenant_domain_verified_idx ON platform.tenant_domain (domain)
    WHERE verified_at IS NOT NULL;
";

const DOWN: &str = r"
DELETE FROM platform.tenant_domain WHERE verified_at IS NULL;
DROP INDEX platform.tenant_domain_verified_idx;
ALTER TABLE platform.tenant_domain
    DROP CONSTRAINT tenant_domain_tenant_id_domain_key,
    ADD CONSTRAINT tenant_domain_domain_key UNIQUE (domain),
    DROP COLUMN challenge;
";
