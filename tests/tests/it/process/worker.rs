//! The worker does what the clock asks for, at all dealers, and tells how it is.

use tests::{Scratch, eventually};

use super::program::Program;

#[actix_web::test]
async fn a_worker_removes_what_is_over_as_soon_as_it_knows_the_dealers() {
    let database = Scratch::with_dealers().await;
    let mut sessions = Vec::new();
    for slug in ["acme", "bolt", "core"] {
        let schema = database.schema_of(slug).await;
        insert_sessions(&database, &schema).await;
        sessions.push(format!("SELECT id FROM {schema}.session"));
    }
    let left = format!("SELECT count(*) FROM ({}) s", sessions.join(" UNION ALL "));

    // The usual time is once an hour: what never was done is due.
    let mut worker = Program::start("worker", &database, &[]).await;

    let mut connection = database.connect().await;
    eventually("old sessions are removed", async || {
        let left = sqlx::query_scalar::<_, i64>(sqlx::AssertSqlSafe(left.as_str()));
        left.fetch_one(&mut connection).await.unwrap() == 3
    })
    .await;
    let anybody = worker.stranger("localhost");
    anybody.get("/livez").await.expect(200);
    anybody.get("/readyz").await.expect(200);
    anybody.at("acme.localhost").get("/me").await.expect(404);
    worker.terminate();
    assert_eq!(worker.ended().await.code(), Some(0));
}

#[actix_web::test]
async fn what_is_over_is_removed_again_and_a_broken_dealer_does_not_stop_it() {
    let database = Scratch::with_dealers().await;
    let acme = database.schema_of("acme").await;
    let bolt = database.schema_of("bolt").await;
    let mut connection = database.connect().await;
    let break_it = format!("ALTER TABLE {acme}.session RENAME TO gone");
    sqlx::query(sqlx::AssertSqlSafe(break_it))
        .execute(&mut connection)
        .await
        .unwrap();
    let keys = [("TUBEX_WORKER__PURGE", "* * * * * *")];
    let _worker = Program::start("worker", &database, &keys).await;
    let failed = "SELECT count(*) FROM jobs.job WHERE kind = 'expired.purge' AND errors <> '[]'";
    eventually("acme's has failed", async || {
        let failed = sqlx::query_scalar::<_, i64>(failed);
        failed.fetch_one(&mut connection).await.unwrap() == 1
    })
    .await;

    insert_sessions(&database, &bolt).await;
    insert_events(&database, &bolt).await;

    let left = format!(
        "SELECT (SELECT count(*) FROM {bolt}.session) + (SELECT count(*) FROM {bolt}.event)"
    );
    eventually("what is over is removed", async || {
        let left = sqlx::query_scalar::<_, i64>(sqlx::AssertSqlSafe(left.as_str()));
        left.fetch_one(&mut connection).await.unwrap() == 2
    })
    .await;
}

/// One that ended long ago, one that expired long ago, and one that is alive.
async fn insert_sessions(database: &Scratch, schema: &str) {
    let insert = format!(
        "INSERT INTO {schema}.session
             (id, member_id, created_at, last_used_at, expires_at, revoked_at)
         SELECT gen_random_uuid(), m.id, s.\"then\", s.\"then\", s.until, s.revoked
         FROM (SELECT id FROM {schema}.member LIMIT 1) m, (VALUES
             (now() - interval '90 days', now() + interval '1 day', now() - interval '89 days'),
             (now() - interval '90 days', now() - interval '83 days', NULL),
             (now(), now() + interval '7 days', NULL)
         ) AS s (\"then\", until, revoked)"
    );
    sqlx::query(sqlx::AssertSqlSafe(insert))
        .execute(&mut database.connect().await)
        .await
        .unwrap();
}

/// One of long ago, and a new one.
async fn insert_events(database: &Scratch, schema: &str) {
    let insert = format!(
        "INSERT INTO {schema}.event (id, kind, topic, at, data) VALUES
             (9001, 'item.change', 'items', now() - interval '31 days', '{{}}'),
             (9002, 'item.change', 'items', now() - interval '29 days', '{{}}')"
    );
    sqlx::query(sqlx::AssertSqlSafe(insert))
        .execute(&mut database.connect().await)
        .await
        .unwrap();
}
