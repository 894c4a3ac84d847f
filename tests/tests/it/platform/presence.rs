//! What servers tell the platform of themselves and of what dealers asked.

use serde_json::Value;
use tests::{TestApp, eventually};

const SOON: &[(&str, &str)] = &[("TUBEX_METRICS__PUBLISH_SECONDS", "1")];

async fn rows(app: &TestApp, query: &str) -> Vec<Value> {
    let query = format!("SELECT to_jsonb(r) FROM ({query}) r");
    sqlx::query_scalar(sqlx::AssertSqlSafe(query))
        .fetch_all(&mut app.database.connect().await)
        .await
        .unwrap()
}

async fn processes(app: &TestApp) -> Vec<Value> {
    rows(app, "SELECT * FROM platform.server_process ORDER BY id").await
}

#[actix_web::test]
async fn a_server_says_what_it_knows_and_needs_until_it_stops() {
    let app = TestApp::start().await;
    app.sql(
        "INSERT INTO platform.server_process (id, build, knows, needs, seen_at) VALUES
         (gen_random_uuid(), 'long gone', 'm', 'm', now() - interval '25 hours')",
    )
    .await;

    eventually("the server says that it is there", async || {
        processes(&app)
            .await
            .iter()
            .any(|it| it["build"] != "long gone")
    })
    .await;
    let told = processes(&app).await;
    let told = told.iter().find(|it| it["build"] != "long gone").unwrap();
    assert_eq!(told["build"], env!("CARGO_PKG_VERSION"));
    assert_eq!(told["knows"], server::doctor::NEWEST);
    assert_eq!(told["needs"], server::db::MINIMUM_SCHEMA_VERSION);

    app.stop().await;
    eventually("the server takes leave", async || {
        processes(&app)
            .await
            .iter()
            .all(|it| it["build"] == "long gone")
    })
    .await;
}

#[actix_web::test]
async fn a_process_that_has_not_been_seen_for_a_day_is_forgotten_by_the_next() {
    let first = TestApp::start().await;
    first.sql("DELETE FROM platform.server_process").await;
    first
        .sql(
            "INSERT INTO platform.server_process (id, build, knows, needs, seen_at) VALUES
             (gen_random_uuid(), 'long gone', 'm', 'm', now() - interval '25 hours'),
             (gen_random_uuid(), 'not so long', 'm', 'm', now() - interval '23 hours')",
        )
        .await;

    let _second = TestApp::start_on(first.database.clone(), &[]).await;

    eventually("only the old one is forgotten", async || {
        let builds: Vec<_> = processes(&first).await;
        let has = |build: &str| builds.iter().any(|it| it["build"] == build);
        has(env!("CARGO_PKG_VERSION")) && has("not so long") && !has("long gone")
    })
    .await;
}

#[actix_web::test]
async fn what_dealers_asked_for_is_told_window_by_window() {
    let app = TestApp::start_with(SOON).await;
    let (acme, bolt) = (app.dealer().await, app.dealer().await);
    for _ in 0..5 {
        acme.get("/items").await.expect(200);
    }

    let traffic = "SELECT t.slug, r.requests, r.failures, r.slow_ms, v.last_active_at
         FROM platform.tenant_traffic r JOIN platform.tenant t ON t.id = r.tenant_id
         JOIN platform.tenant_vitals v ON v.tenant_id = t.id ORDER BY t.slug";
    eventually("both are told", async || {
        rows(&app, traffic).await.len() == 2
    })
    .await;
    let told = rows(&app, traffic).await;
    assert_eq!(
        (&told[0]["slug"], &told[1]["slug"]),
        (&acme.slug.into(), &bolt.slug.clone().into())
    );
    assert!(told.iter().all(|it| it["last_active_at"].is_string()));
    assert!(
        told.iter()
            .all(|it| it["failures"] == 0 && it["requests"].as_i64() > Some(0))
    );

    // Nothing of this dealer can be read any more, which is our fault.
    app.sql(&format!(
        "ALTER TABLE {}.item RENAME TO elsewhere",
        app.database.schema_of(&bolt.slug).await
    ))
    .await;
    eventually("its failures are told", async || {
        bolt.get("/items").await.expect(500);
        let told = rows(&app, traffic).await;
        told.iter()
            .any(|it| it["slug"] == bolt.slug && it["failures"].as_i64() > Some(0))
    })
    .await;
}

#[actix_web::test]
async fn a_platform_that_can_not_be_told_is_no_failure_of_a_request() {
    let app = TestApp::start_with(SOON).await;
    let dealer = app.dealer().await;
    app.sql("REVOKE ALL ON platform.server_process, platform.tenant_traffic FROM tubex_server")
        .await;

    for _ in 0..50 {
        dealer.get("/items").await.expect(200);
        tokio::time::sleep(std::time::Duration::from_millis(40)).await;
    }

    app.stranger("localhost").get("/readyz").await.expect(200);
}
