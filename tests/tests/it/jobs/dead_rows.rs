//! What jobs leave behind stays in the table until it is vacuumed: it must not be read again for every
//! job that comes after.

use server::jobs::Ended;
use sqlx::{PgConnection, Row};
use tests::errands::{Begun, registry};
use tests::{TestApp, eventually};
use uuid::Uuid;

use super::{TestWorker, fill_queue, run};

/// Pages of the jobs' tables and indexes that were looked at so far, jobs that were written, and jobs
/// that were removed.
const SEEN: &str = "SELECT sum(io.heap_blks_hit + io.heap_blks_read + io.idx_blks_hit
        + io.idx_blks_read)::bigint AS pages,
        sum(t.n_tup_ins) FILTER (WHERE t.relname = 'job')::bigint AS written,
        sum(t.n_tup_del) FILTER (WHERE t.relname = 'job')::bigint AS removed
    FROM pg_statio_user_tables io JOIN pg_stat_user_tables t USING (relid)
    WHERE t.schemaname = 'jobs'";
/// A connection counts for itself and tells it now and then, and when it ends. The worker opens others.
const TELL: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'tubex-jobs' AND state = 'idle'";

/// The same for a connection of ours.
const FLUSH: &str = "SELECT pg_stat_force_next_flush()";

#[actix_web::test]
async fn a_job_costs_no_more_behind_dead_rows_and_when_statistics_are_of_a_full_table() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let schema = app.database.schema_of(&dealer.slug).await;
    app.sql("ALTER TABLE jobs.job SET (autovacuum_enabled = false)")
        .await;

    let clean = pages_a_job(&app, &schema, 500).await;
    let analyzed = pages_a_job(&app, &schema, 6000).await;
    let behind_dead_rows = pages_a_job(&app, &schema, 500).await;

    // How many are taken at once differs, and with it what each of them costs.
    for pages in [analyzed, behind_dead_rows] {
        assert!(
            pages < 5 * clean,
            "{pages} pages for a job, and {clean} when there was nothing else"
        );
    }
}

#[actix_web::test]
async fn a_job_is_found_by_its_id_also_with_a_plan_that_was_made_when_there_was_hardly_any() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let schema = app.database.schema_of(&dealer.slug).await;
    let mut connection = app.database.connect().await;
    let only_one = format!(
        "ALTER TABLE jobs.job SET (autovacuum_enabled = false);
         INSERT INTO jobs.job (id, tenant, queue, kind, version, payload, priority, state, run_at,
             max_attempts, enqueued_at, fence, lease_until)
         VALUES (gen_random_uuid(), '{schema}', 'quick', 'test.errand', 2, '{{}}', 5, 'running',
             now(), 3, now(), 1, now() + interval '1 hour')"
    );
    run(&mut connection, &only_one).await;
    run(&mut connection, "VACUUM ANALYZE jobs.job").await;
    let id: Uuid = sqlx::query_scalar("SELECT id FROM jobs.job")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    let mut holding = app.database.connect().await;
    let hold = format!("SET ROLE {schema}; SELECT shared.hold_job('{id}', 1); RESET ROLE");
    // From the sixth time on a session keeps its plan.
    for _ in 0..10 {
        run(&mut holding, &hold).await;
    }
    run(&mut holding, FLUSH).await;

    fill_queue(&app.database, &schema, "nothing", 5000).await;
    eventually("what writing them cost is counted", async || {
        seen(&mut connection).await.written == 5001
    })
    .await;
    let before = seen(&mut connection).await;
    for _ in 0..100 {
        run(&mut holding, &hold).await;
    }
    run(&mut holding, FLUSH).await;

    let pages = (seen(&mut connection).await.pages - before.pages) / 100;
    assert!(pages < 20, "{pages} pages for one job");
}

/// How many pages are looked at for one of so many jobs of one dealer, from its being claimed to its
/// end. Statistics are made while all of them wait, as autovacuum might.
async fn pages_a_job(app: &TestApp, schema: &str, jobs: u32) -> i64 {
    let mut connection = app.database.connect().await;
    let written = seen(&mut connection).await.written + i64::from(jobs);
    fill_queue(&app.database, schema, "nothing", jobs).await;
    eventually("what writing them cost is counted", async || {
        seen(&mut connection).await.written == written
    })
    .await;
    run(&mut connection, "ANALYZE jobs.job").await;
    run(&mut connection, FLUSH).await;
    let before = seen(&mut connection).await;

    let worker = TestWorker::start(app, registry(&Begun::default()));
    let is_done = || {
        let kinds = worker.stats.kinds();
        let done = kinds
            .iter()
            .filter_map(|(_, kind)| kind.ended.get(&Ended::Done));
        done.sum::<u64>() >= u64::from(jobs)
    };
    eventually("all are done", async || is_done()).await;
    let mut after = None;
    eventually("what they cost is counted", async || {
        run(&mut connection, TELL).await;
        let now = seen(&mut connection).await;
        let is_all = now.removed == before.removed + i64::from(jobs);
        after = is_all.then_some(now);
        is_all
    })
    .await;

    (after.unwrap().pages - before.pages) / i64::from(jobs)
}

struct Seen {
    pages: i64,
    written: i64,
    removed: i64,
}

async fn seen(connection: &mut PgConnection) -> Seen {
    let row = sqlx::query(SEEN).fetch_one(connection).await.unwrap();
    Seen {
        pages: row.get("pages"),
        written: row.get("written"),
        removed: row.get("removed"),
    }
}
