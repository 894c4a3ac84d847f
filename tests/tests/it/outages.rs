//! Without Redis everything works; without Postgres the server says so, and recovers by itself.

use std::time::{Duration, Instant};

use sea_orm::ConnectionTrait;
use serde_json::json;
use server::db::TenantTx;
use tests::local::Redis;
use tests::local::account::Account;
use tests::local::place::ThrowAway;
use tests::{Actor, Dealer, Reply, Scratch, TestApp, Wire, eventually};

const IMPATIENT: (&str, &str) = ("TUBEX_DATABASE__ACQUIRE_TIMEOUT_MS", "2000");
/// Price files are loaded in the background.
const WORKING: (&str, &str) = ("TUBEX_JOBS__INSIDE", "true");
/// Far above what a request may wait, far below its whole time limit.
const SOON: Duration = Duration::from_secs(12);

#[actix_web::test]
async fn everything_works_without_redis() {
    let silent = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let silent = format!("redis://{}/", silent.local_addr().unwrap());
    for url in ["", "redis://127.0.0.1:1/", &silent] {
        let keys = [("TUBEX_REDIS__URL", url), WORKING];
        let app = TestApp::start_with(&keys).await;
        let acme = app.dealer().await;

        works(&acme).await;

        let expected = if url.is_empty() { "none" } else { "away" };
        let ready = acme.get("/readyz").await.expect(200);
        assert_eq!(ready.json["redis"], expected, "{url}");
    }
}

#[actix_web::test]
async fn redis_may_go_while_the_server_runs() {
    let account = Account::detect().unwrap();
    let folder = ThrowAway::create(&account).unwrap();
    let redis = Redis::start(&folder.path().join("redis")).unwrap();
    let url = redis.url();
    let app = TestApp::start_with(&[("TUBEX_REDIS__URL", &url), WORKING]).await;
    let acme = app.dealer().await;
    assert_eq!(acme.get("/readyz").await.json["redis"], "ok");

    redis.stop().unwrap();

    works(&acme).await;
    assert_eq!(acme.get("/readyz").await.expect(200).json["redis"], "away");
}

#[actix_web::test]
async fn without_postgres_dealers_are_told_to_come_back_and_then_served_again() {
    let database = Scratch::with_dealers().await;
    let wire = Wire::to(&database).await;
    let keys = [("TUBEX_DATABASE__URL", wire.url()), IMPATIENT, WORKING];
    let app = TestApp::start_on(database, &keys).await;
    let acme = app.dealer().await;
    works(&acme).await;
    let nobody = app.stranger("nobody.localhost");
    let expected = nobody.get("/").await;

    for _ in 0..2 {
        wire.cut();
        for path in ["/items", "/items?q=brick", "/units"] {
            refused_for_now(&acme, path).await;
        }
        let sign_in = acme.sign_in(&acme.email, &acme.password).await;
        assert_come_back(&sign_in);
        assert_eq!(nobody.get("/").await.body, expected.body);
        let unheard = app.stranger("unheard-of.localhost").get("/").await;
        assert_eq!(
            (unheard.status, unheard.body),
            (expected.status, expected.body.clone())
        );
        assert_eq!(acme.get("/livez").await.status, 200);
        let ready = acme.get("/readyz").await.expect(503);
        assert_eq!(ready.json["database"], "away");

        wire.mend();
        acme.get("/items").await.expect(200); // the very first one
        acme.get("/readyz").await.expect(200);
    }
    works(&acme).await;
    app.sql("UPDATE platform.tenant SET name = 'Heard again'")
        .await;
    eventually("the directory is followed again", async || {
        acme.get("/me").await.json["dealer"]["name"] == "Heard again"
    })
    .await;
}

#[actix_web::test]
async fn a_postgres_that_falls_silent_is_not_waited_for_long() {
    let database = Scratch::with_dealers().await;
    let wire = Wire::to(&database).await;
    let keys = [("TUBEX_DATABASE__URL", wire.url()), IMPATIENT, WORKING];
    let app = TestApp::start_on(database, &keys).await;
    let acme = app.dealer().await;
    works(&acme).await;

    wire.silence();
    refused_for_now(&acme, "/items").await;
    refused_for_now(&acme, "/items").await;
    let started = Instant::now();
    acme.get("/readyz").await.expect(503);
    assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
    acme.get("/livez").await.expect(200);

    wire.mend();
    acme.get("/items").await.expect(200);
}

#[actix_web::test]
async fn a_server_that_starts_before_its_database_waits_for_it() {
    let database = Scratch::with_dealers().await;
    let wire = Wire::to(&database).await;
    wire.cut();
    let keys = [("TUBEX_DATABASE__URL", wire.url()), IMPATIENT];
    let app = TestApp::start_unready(database, &keys).await;
    let acme = app.stranger("acme.localhost");

    refused_for_now(&acme, "/me").await;
    acme.get("/livez").await.expect(200);
    let ready = acme.get("/readyz").await.expect(503);
    assert_eq!(ready.json["directory"], "not read yet");

    wire.mend();
    eventually("the server is ready", async || {
        acme.get("/readyz").await.status == 200
    })
    .await;
    acme.get("/").await.expect(200);
}

#[actix_web::test]
async fn connections_that_died_while_they_lay_idle_cost_no_request() {
    let keys = [("TUBEX_DATABASE__TENANT_CONCURRENCY", "4")];
    let app = TestApp::start_on(Scratch::with_lane_of(4).await, &keys).await;
    let acme = app.dealer().await;
    let door = app.door(&acme).await;
    let mut all = Vec::new();
    for _ in 0..4 {
        all.push(door.begin_read_only().await.unwrap());
    }
    drop(all);
    app.sql(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    .await;

    for _ in 0..8 {
        acme.get("/items").await.expect(200);
    }
}

#[actix_web::test]
async fn a_full_lane_is_an_answer_and_not_a_hang() {
    let app = TestApp::start_on(Scratch::with_lane_of(1).await, &[IMPATIENT]).await;
    let acme = app.dealer().await;
    acme.get("/items").await.expect(200);
    let held = app.door(&acme).await.begin().await.unwrap();

    refused_for_now(&acme, "/items").await;
    let created = json!({"sku": "X", "name": "X", "base_unit": "pcs"});
    assert_come_back(&acme.post("/items", created).await);
    acme.get("/readyz").await.expect(200);

    drop(held);
    acme.get("/items").await.expect(200);
}

#[actix_web::test]
async fn a_request_that_takes_too_long_is_ended_and_leaves_its_lane_in_order() {
    let keys = [("TUBEX_HTTP__REQUEST_TIMEOUT_MS", "4000")];
    let app = TestApp::start_on(Scratch::with_lane_of(2).await, &keys).await;
    let acme = app.dealer().await;
    let item = acme.item("HELD", json!({})).await;
    let path = format!("/items/{}", item["id"].as_str().unwrap());
    let held = app.door(&acme).await.begin().await.unwrap();
    held.execute_unprepared("UPDATE item SET name = 'Held'")
        .await
        .unwrap();

    let ended = acme.patch(&path, 1, json!({"name": "Too late"})).await;

    assert_come_back(&ended);
    assert_eq!(ended.problem(), "request_timed_out");
    assert_eq!(ended.header("x-request-id"), ended.json["request_id"]);
    drop(held);
    eventually("the lane serves again", async || {
        acme.get(&path).await.status == 200
    })
    .await;
    assert_eq!(acme.get(&path).await.json["name"], "Item HELD");
}

#[actix_web::test]
async fn a_statement_that_loses_its_connection_is_an_outage_and_no_fault_of_ours() {
    let app = TestApp::start_on(Scratch::with_lane_of(1).await, &[]).await;
    let acme = app.dealer().await;
    let door = app.door(&acme).await;

    let lost = door.read(async |tx: &TenantTx| {
        let end = "SELECT pg_sleep(30)";
        tx.execute_unprepared(end).await
    });
    let (lost, ()) = tokio::join!(lost, end_sleepers(&app));

    let failure = server::db::failure_of(&lost.expect_err("its backend was ended"));
    assert_eq!(failure, server::db::Failure::Unavailable);
    acme.get("/items").await.expect(200);
}

async fn end_sleepers(app: &TestApp) {
    let mut connection = app.database.connect().await;
    let end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
         WHERE datname = current_database() AND state = 'active' AND query LIKE '%pg_sleep(30)'";
    eventually("the sleeper has been ended", async || {
        let ended = sqlx::query_scalar::<_, i64>(end).fetch_one(&mut connection);
        ended.await.unwrap() == 1
    })
    .await;
}

/// Signs in, reads, writes, loads a file.
async fn works(dealer: &Dealer) {
    let sku = uuid::Uuid::new_v4().simple().to_string();
    dealer
        .sign_in(&dealer.email, &dealer.password)
        .await
        .expect(200);
    dealer.item(&sku, json!({})).await;
    dealer.get(&format!("/items?q={sku}")).await.expect(200);
    let file = format!("SKU;Name;Unit;Price;Currency\n{sku};Renamed;pcs;1.50;EUR\n");
    let report = dealer.import("", file).await.expect(200);
    assert_eq!(report.json["updated"], 1, "{}", report.text());
}

async fn refused_for_now(actor: &Actor, path: &str) {
    let started = Instant::now();
    let reply = actor.get(path).await;
    assert_come_back(&reply);
    assert!(
        started.elapsed() < SOON,
        "{path} took {:?}",
        started.elapsed()
    );
}

#[track_caller]
fn assert_come_back(reply: &Reply) {
    assert_eq!(reply.status, 503, "{}", reply.text());
    let seconds: u64 = reply.header("retry-after").parse().expect("Retry-After");
    assert!((1..=60).contains(&seconds));
    assert!(!reply.json["request_id"].is_null(), "{}", reply.text());
}
