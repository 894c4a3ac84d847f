//! Tells every server which tenant's entry changed, or `*` when a lane or node did. Expand-only.

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

// SECURITY DEFINER: `pg_notify` is taken from PUBLIC by the fence, so the triggers call it with
// their owner's right. Postgres folds equal messages of one transaction into one.
const UP: &str = r"
CREATE FUNCTION platform.notify_tenant() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp
    AS $body$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        PERFORM pg_notify('tubex_directory', OLD.id::text);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        PERFORM pg_notify('tubex_directory', NEW.id::text);
    END IF;
    RETURN NULL;
END
$body$;

-- A domain that moves concerns both its old tenant and its new one.
CREATE FUNCTION platform.notify_tenant_domain() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp
    AS $body$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        PERFORM pg_notify('tubex_directory', OLD.tenant_id::text);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        PERFORM pg_notify('tubex_directory', NEW.tenant_id::text);
    END IF;
    RETURN NULL;
END
$body$;

CREATE FUNCTION platform.notify_everything() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp
    AS $body$
BEGIN
    PERFORM pg_notify('tubex_directory', '*');
    RETURN NULL;
END
$body$;

REVOKE ALL ON FUNCTION platform.notify_tenant(), platform.notify_tenant_domain(),
    platform.notify_everything() FROM PUBLIC;

CREATE TRIGGER tenant_notify AFTER INSERT OR UPDATE OR DELETE ON platform.tenant
    FOR EACH ROW EXECUTE FUNCTION platform.notify_tenant();
CREATE TRIGGER tenant_domain_notify AFTER INSERT OR UPDATE OR DELETE ON platform.tenant_domain
    FOR EACH ROW EXECUTE FUNCTION platform.notify_tenant_domain();
CREATE TRIGGER lane_notify AFTER INSERT OR UPDATE OR DELETE ON platform.lane
    FOR EACH STATEMENT EXECUTE FUNCTION platform.notify_everything();
CREATE TRIGGER node_notify AFTER INSERT OR UPDATE OR DELETE ON platform.node
    FOR EACH STATEMENT EXECUTE FUNCTION platform.notify_everything();
";

const DOWN: &str = r"
DROP TRIGGER node_notify ON platform.node;
DROP TRIGGER lane_notify ON platform.lane;
DROP TRIGGER tenant_domain_notify ON platform.tenant_domain;
DROP TRIGGER tenant_notify ON platform.tenant;
DROP FUNCTION platform.notify_everything(), platform.notify_tenant_domain(),
    platform.notify_tenant();
";
