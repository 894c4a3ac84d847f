//! Keys that sign tokens, where people are members, marks of audit trails, and how much a plan lets
//! be asked. Expand-only.

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

// * A person's address is kept as a keyed digest: the platform can tell that two dealers know the
//   same address, and not what it is.
// * A mark of an audit trail is authenticated with a key that no database sees, so that whoever may
//   write here can't make one up for a trail that was rewritten.
const UP: &str = r"
ALTER TABLE platform.plan ADD COLUMN requests_per_minute integer
    CONSTRAINT plan_requests_per_minute_check CHECK (requests_per_minute > 0);

CREATE TABLE platform.signing_key (
    kid                text        NOT NULL CONSTRAINT signing_key_pkey PRIMARY KEY,
    public_key         bytea       NOT NULL,
    sealed_private_key bytea       NOT NULL,
    created_at         timestamptz NOT NULL,
    signs_from         timestamptz NOT NULL,
    verifies_until     timestamptz
);

CREATE TABLE platform.membership (
    email_digest bytea       NOT NULL,
    tenant_id    uuid        NOT NULL CONSTRAINT membership_tenant_id_fkey
        REFERENCES platform.tenant (id) ON DELETE CASCADE,
    seen_at      timestamptz NOT NULL,
    CONSTRAINT membership_pkey PRIMARY KEY (email_digest, tenant_id)
);
CREATE INDEX membership_tenant_id_idx ON platform.membership (tenant_id);

CREATE TABLE platform.audit_checkpoint (
    tenant_id uuid        NOT NULL CONSTRAINT audit_checkpoint_tenant_id_fkey
        REFERENCES platform.tenant (id) ON DELETE CASCADE,
    seq       bigint      NOT NULL,
    hash      bytea       NOT NULL,
    at        timestamptz NOT NULL,
    mac       bytea       NOT NULL,
    CONSTRAINT audit_checkpoint_pkey PRIMARY KEY (tenant_id, seq)
);
";

const DOWN: &str = r"
DROP TABLE platform.audit_checkpoint;
DROP TABLE platform.membership;
DROP TABLE platform.signing_key;
ALTER TABLE platform.plan DROP COLUMN requests_per_minute;
";
