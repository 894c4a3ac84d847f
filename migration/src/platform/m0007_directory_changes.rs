//! What changed in the directory since one looked last, without a gap and without a clock, for
//! servers that a notification did not reach. Expand-only.

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

// Each row carries the transaction that changed it last. Whoever remembers the oldest transaction
// that was still under way when they looked (`pg_snapshot_xmin`) finds everything that has become
// visible since as `changed_xid >=` that: a change that commits late has an id that is not below
// it. A clock or a sequence would miss such a change. Ids don't tell which of two readings of one
// row is the later one, since an older transaction may come second; the row's revision does.
//
// Nodes, lanes and plans are few and change seldom: one mark stands for all of them.
const UP: &str = r"
ALTER TABLE platform.tenant
    ADD COLUMN changed_xid xid8   NOT NULL DEFAULT pg_current_xact_id(),
    ADD COLUMN revision    bigint NOT NULL DEFAULT 0;
CREATE INDEX tenant_changed_xid_idx ON platform.tenant (changed_xid);

CREATE TABLE platform.directory_mark (
    only_row    boolean NOT NULL DEFAULT true CONSTRAINT directory_mark_pkey PRIMARY KEY
        CONSTRAINT directory_mark_only_row_check CHECK (only_row),
    changed_xid xid8    NOT NULL DEFAULT pg_current_xact_id()
);
INSERT INTO platform.directory_mark DEFAULT VALUES;

CREATE FUNCTION platform.mark_tenant() RETURNS trigger
    LANGUAGE plpgsql SET search_path = platform, pg_temp
    AS $body$
BEGIN
    NEW.changed_xid := pg_current_xact_id();
    NEW.revision := CASE WHEN TG_OP = 'UPDATE' THEN OLD.revision + 1 ELSE 0 END;
    RETURN NEW;
END
$body$;

-- A domain is part of its tenant's entry, and a tenant that is gone is everybody's business.
CREATE FUNCTION platform.mark_tenant_of_domain() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp
    AS $body$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        UPDATE platform.tenant SET changed_xid = pg_current_xact_id() WHERE id = OLD.tenant_id;
    END IF;
    IF TG_OP = 'INSERT' OR (TG_OP = 'UPDATE' AND NEW.tenant_id <> OLD.tenant_id) THEN
        UPDATE platform.tenant SET changed_xid = pg_current_xact_id() WHERE id = NEW.tenant_id;
    END IF;
    RETURN NULL;
END
$body$;

CREATE FUNCTION platform.mark_directory() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp
    AS $body$
BEGIN
    UPDATE platform.directory_mark SET changed_xid = pg_current_xact_id();
    RETURN NULL;
END
$body$;

REVOKE ALL ON FUNCTION platform.mark_tenant(), platform.mark_tenant_of_domain(),
    platform.mark_directory() FROM PUBLIC;

CREATE TRIGGER tenant_mark BEFORE INSERT OR UPDATE ON platform.tenant
    FOR EACH ROW EXECUTE FUNCTION platform.mark_tenant();
CREATE TRIGGER tenant_gone_mark AFTER DELETE ON platform.tenant
    FOR EACH STATEMENT EXECUTE FUNCTION platform.mark_directory();
CREATE TRIGGER tenant_domain_mark AFTER INSERT OR UPDATE OR DELETE ON platform.tenant_domain
    FOR EACH ROW EXECUTE FUNCTION platform.mark_tenant_of_domain();
CREATE TRIGGER lane_mark AFTER INSERT OR UPDATE OR DELETE ON platform.lane
    FOR EACH STATEMENT EXECUTE FUNCTION platform.mark_directory();
CREATE TRIGGER node_mark AFTER INSERT OR UPDATE OR DELETE ON platform.node
    FOR EACH STATEMENT EXECUTE FUNCTION platform.mark_directory();
CREATE TRIGGER plan_mark AFTER INSERT OR UPDATE OR DELETE ON platform.plan
    FOR EACH STATEMENT EXECUTE FUNCTION platform.mark_directory();
CREATE TRIGGER plan_notify AFTER INSERT OR UPDATE OR DELETE ON platform.plan
    FOR EACH STATEMENT EXECUTE FUNCTION platform.notify_everything();
";

const DOWN: &str = r"
DROP TRIGGER plan_notify ON platform.plan;
DROP TRIGGER plan_mark ON platform.plan;
DROP TRIGGER node_mark ON platform.node;
DROP TRIGGER lane_mark ON platform.lane;
DROP TRIGGER tenant_domain_mark ON platform.tenant_domain;
DROP TRIGGER tenant_gone_mark ON platform.tenant;
DROP TRIGGER tenant_mark ON platform.tenant;
DROP FUNCTION platform.mark_directory(), platform.mark_tenant_of_domain(), platform.mark_tenant();
DROP TABLE platform.directory_mark;
DROP INDEX platform.tenant_changed_xid_idx;
ALTER TABLE platform.tenant DROP COLUMN revision, DROP COLUMN changed_xid;
";
