//! Schema `jobs`: background work of all tenants of a node, and the functions of schema `shared`
//! by which a tenant's transaction hands it over and ends it. Expand-only.

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

// * Whose a job is, is asked of the transaction's role and never said: inside a function with its
//   owner's rights `current_setting('role')` still names the tenant. Work of the platform itself
//   has an empty tenant.
// * What waits for its time is `scheduled`, and its time come it is `ready`: whoever looks for work
//   reads an index of ready jobs only, tenant by tenant, however many retries wait for tomorrow.
//   What is paused is `held`, out of that index for the same reason.
// * The fence grows with every claim. Only who holds the newest, within its lease, ends a job or
//   goes on with it; whoever was stopped for longer finds SQLSTATE TBX01 instead of a commit.
// * A unique key is kept beside the jobs, because its window may outlive its job.
// * The table is always churned: dead rows are to go early, or the search for work wades in them. It
//   is empty now and full in a moment: a plan made in between must not read all of it for one job,
//   and sessions keep their plans. So the search for work is written for two indexes that no other
//   can stand in for (hence their collation), and functions find their job by its id alone.
const UP: &str = r#"
CREATE SCHEMA jobs;

CREATE TABLE jobs.job (
    id           uuid        NOT NULL CONSTRAINT job_pkey PRIMARY KEY,
    tenant       text        NOT NULL,
    queue        text        NOT NULL,
    kind         text        NOT NULL,
    version      smallint    NOT NULL,
    payload      jsonb       NOT NULL,
    priority     smallint    NOT NULL CONSTRAINT job_priority_check CHECK (priority BETWEEN 0 AND 9),
    state        text        NOT NULL CONSTRAINT job_state_check
        CHECK (state IN ('scheduled', 'ready', 'held', 'running', 'dead', 'done')),
    run_at       timestamptz NOT NULL,
    attempt      integer     NOT NULL DEFAULT 0,
    max_attempts integer     NOT NULL CONSTRAINT job_max_attempts_check CHECK (max_attempts > 0),
    fence        bigint      NOT NULL DEFAULT 0,
    worker       uuid,
    lease_until  timestamptz,
    started_at   timestamptz,
    keep_seconds integer     NOT NULL DEFAULT 0,
    trace        text,
    errors       jsonb       NOT NULL DEFAULT '[]',
    enqueued_at  timestamptz NOT NULL,
    ended_at     timestamptz
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
        autovacuum_vacuum_cost_delay = 0, autovacuum_analyze_scale_factor = 0,
        autovacuum_analyze_threshold = 10000);
CREATE INDEX job_tenant_idx ON jobs.job (tenant, id);
CREATE INDEX job_ready_idx ON jobs.job (queue, tenant COLLATE "C", priority, run_at, id)
    WHERE state = 'ready';
CREATE INDEX job_scheduled_idx ON jobs.job (run_at) WHERE state = 'scheduled';
CREATE INDEX job_running_idx ON jobs.job (queue, tenant COLLATE "C") WHERE state = 'running';
CREATE INDEX job_held_idx ON jobs.job (tenant, kind) WHERE state = 'held';
CREATE INDEX job_ended_idx ON jobs.job (ended_at) WHERE state IN ('dead', 'done');

CREATE TABLE jobs.unique_key (
    tenant     text NOT NULL,
    kind       text NOT NULL,
    key        text NOT NULL,
    job_id     uuid NOT NULL,
    held_until timestamptz NOT NULL,
    CONSTRAINT unique_key_pkey PRIMARY KEY (tenant, kind, key)
);
CREATE INDEX unique_key_held_until_idx ON jobs.unique_key (held_until);

CREATE TABLE jobs.pause (
    tenant    text NOT NULL,
    kind      text NOT NULL,
    reason    text NOT NULL,
    paused_at timestamptz NOT NULL,
    CONSTRAINT pause_pkey PRIMARY KEY (tenant, kind)
);
COMMENT ON TABLE jobs.pause IS 'what must not be begun; * is every tenant, or every kind';

CREATE TABLE jobs.firing (
    name text NOT NULL CONSTRAINT firing_pkey PRIMARY KEY,
    tick timestamptz NOT NULL
);
COMMENT ON TABLE jobs.firing IS 'the last tick of each schedule that was fired';

CREATE FUNCTION shared.enqueue_job(
    id uuid, queue text, kind text, version smallint, payload jsonb, priority smallint,
    delay_ms bigint, max_attempts integer, keep_seconds integer, trace text,
    unique_key text, unique_ms bigint) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    whose text := current_setting('role');
    taken uuid;
BEGIN
    IF whose = 'none' THEN
        RAISE EXCEPTION 'only a tenant hands jobs over' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF unique_key IS NOT NULL THEN
        INSERT INTO jobs.unique_key AS held (tenant, kind, key, job_id, held_until)
        VALUES (whose, enqueue_job.kind, enqueue_job.unique_key, enqueue_job.id,
            clock_timestamp() + unique_ms * interval '1 ms')
        ON CONFLICT ON CONSTRAINT unique_key_pkey DO UPDATE
            SET job_id = excluded.job_id, held_until = excluded.held_until
            WHERE held.held_until <= clock_timestamp() AND NOT EXISTS (
                SELECT FROM jobs.job j WHERE j.id = held.job_id
                    AND j.state IN ('scheduled', 'ready', 'held', 'running'))
        RETURNING held.job_id INTO taken;
        IF taken IS NULL THEN
            SELECT held.job_id INTO taken FROM jobs.unique_key held
            WHERE held.tenant = whose AND held.kind = enqueue_job.kind
                AND held.key = enqueue_job.unique_key;
            RETURN taken;
        END IF;
    END IF;
    INSERT INTO jobs.job (id, tenant, queue, kind, version, payload, priority, state, run_at,
        max_attempts, keep_seconds, trace, enqueued_at)
    VALUES (enqueue_job.id, whose, enqueue_job.queue, enqueue_job.kind, enqueue_job.version,
        enqueue_job.payload, enqueue_job.priority,
        CASE WHEN delay_ms > 0 THEN 'scheduled' ELSE 'ready' END,
        clock_timestamp() + delay_ms * interval '1 ms', enqueue_job.max_attempts,
        enqueue_job.keep_seconds, enqueue_job.trace, clock_timestamp());
    RETURN enqueue_job.id;
END
$body$;

CREATE FUNCTION shared.hold_job(id uuid, fence bigint) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    SET enable_seqscan = off AS $body$
BEGIN
    PERFORM FROM jobs.job j WHERE j.id = hold_job.id AND j.fence = hold_job.fence
        AND j.tenant = current_setting('role') AND j.state = 'running'
        AND j.lease_until > clock_timestamp() FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'job % is no longer ours', hold_job.id USING ERRCODE = 'TBX01';
    END IF;
END
$body$;

CREATE FUNCTION shared.finish_job(id uuid, fence bigint) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    SET enable_seqscan = off AS $body$
DECLARE
    keeps integer;
BEGIN
    SELECT j.keep_seconds INTO keeps FROM jobs.job j
    WHERE j.id = finish_job.id AND j.fence = finish_job.fence
        AND j.tenant = current_setting('role') AND j.state = 'running'
        AND j.lease_until > clock_timestamp() FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'job % is no longer ours', finish_job.id USING ERRCODE = 'TBX01';
    END IF;
    IF keeps = 0 THEN
        DELETE FROM jobs.job j WHERE j.id = finish_job.id;
    ELSE
        UPDATE jobs.job j SET state = 'done', ended_at = clock_timestamp(), worker = NULL,
            lease_until = NULL
        WHERE j.id = finish_job.id;
    END IF;
END
$body$;

CREATE FUNCTION shared.retry_jobs(ids uuid[]) RETURNS SETOF uuid
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
    UPDATE jobs.job j SET state = 'ready', run_at = clock_timestamp(), ended_at = NULL,
        max_attempts = greatest(j.max_attempts, j.attempt + 1)
    WHERE j.id = ANY (ids) AND j.tenant = current_setting('role') AND j.state IN ('dead', 'scheduled')
    RETURNING j.id
$body$;

CREATE FUNCTION shared.discard_jobs(ids uuid[]) RETURNS SETOF uuid
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
    DELETE FROM jobs.job j
    WHERE j.id = ANY (ids) AND j.tenant = current_setting('role')
        AND j.state IN ('dead', 'scheduled', 'ready', 'held')
    RETURNING j.id
$body$;

CREATE VIEW shared.own_job WITH (security_barrier) AS
    SELECT id, queue, kind, version, payload, priority, state, run_at, attempt, max_attempts,
        started_at, trace, errors, enqueued_at, ended_at
    FROM jobs.job WHERE tenant = current_setting('role') AND tenant <> 'none';

GRANT SELECT ON shared.own_job TO PUBLIC;
"#;

const DOWN: &str = r"
DROP VIEW shared.own_job;
DROP FUNCTION shared.discard_jobs(uuid[]);
DROP FUNCTION shared.retry_jobs(uuid[]);
DROP FUNCTION shared.finish_job(uuid, bigint);
DROP FUNCTION shared.hold_job(uuid, bigint);
DROP FUNCTION shared.enqueue_job(uuid, text, text, smallint, jsonb, smallint, bigint, integer,
    integer, text, text, bigint);
DROP SCHEMA jobs CASCADE;
";
