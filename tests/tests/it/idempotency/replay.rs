//! What is sent again is answered the same, and not done again.

use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::json;
use tests::{Actor, Reply, TestApp, eventually};
use time::Duration;

use super::{assert_replayed, item, item_records, items, number, post};

#[actix_web::test]
async fn the_same_request_is_done_once_and_answered_the_same() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;

    let first = post(&acme, "/items", "k-1", &item("A")).await.expect(201);
    let again = post(&acme, "/items", "k-1", &item("A")).await;
    let quoted = post(&acme, "/items", "\"k-1\"", &item("A")).await;

    assert_replayed(&first, &again);
    assert_replayed(&first, &quoted);
    assert_eq!(first.header("etag"), "\"1\"");
    assert_ne!(first.header("x-request-id"), again.header("x-request-id"));
    assert_eq!((items(&app).await, item_records(&app).await), (1, 1));
}

#[actix_web::test]
async fn the_answer_stays_what_it_was_when_the_thing_has_changed_since() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let first = post(&acme, "/items", "k", &item("A")).await.expect(201);
    let path = format!("/items/{}", first.json["id"].as_str().unwrap());
    acme.patch(&path, 1, json!({"name": "Bolt"}))
        .await
        .expect(200);

    let again = post(&acme, "/items", "k", &item("A")).await;

    assert_replayed(&first, &again);
}

#[actix_web::test]
async fn another_body_address_or_query_under_the_same_key_is_refused() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    post(&acme, "/items", "k", &item("A")).await.expect(201);

    let body = post(&acme, "/items", "k", &item("B")).await;
    let path = post(&acme, "/item-groups", "k", &json!({"name": "G"})).await;
    let query = post(&acme, "/items?x=1", "k", &item("A")).await;

    for refused in [body, path, query] {
        assert_eq!(refused.status, 422, "{}", refused.text());
        assert_eq!(refused.problem(), "idempotency_key_reused");
    }
    assert_eq!(items(&app).await, 1);
}

#[actix_web::test]
async fn a_key_is_free_again_when_its_time_is_over() {
    let app = TestApp::start_with(&[("TUBEX_HTTP__IDEMPOTENCY_HOURS", "2")]).await;
    let acme = app.dealer().await;
    post(&acme, "/item-groups", "k", &json!({"name": "A"}))
        .await
        .expect(201);

    app.advance(Duration::minutes(119));
    let acme = app.enter("acme").await;
    let kept = post(&acme, "/item-groups", "k", &json!({"name": "A"})).await;
    app.advance(Duration::minutes(2));
    let acme = app.enter("acme").await;
    let anew = post(&acme, "/item-groups", "k", &json!({"name": "B"}))
        .await
        .expect(201);
    let again = post(&acme, "/item-groups", "k", &json!({"name": "B"})).await;

    assert_eq!(kept.header("idempotency-replayed"), "true");
    assert_replayed(&anew, &again);
}

#[actix_web::test]
async fn what_is_over_is_swept_out_and_nothing_else() {
    let at_every_second = ("TUBEX_WORKER__PURGE", "* * * * * *");
    let app = TestApp::start_with(&[("TUBEX_JOBS__INSIDE", "true"), at_every_second]).await;
    let acme = app.dealer().await;
    post(&acme, "/items", "old", &item("A")).await.expect(201);
    app.advance(Duration::hours(23));
    let acme = app.enter("acme").await;
    post(&acme, "/items", "new", &item("B")).await.expect(201);
    app.advance(Duration::hours(2));

    let old = "SELECT count(*) FROM {schema}.idempotency_key WHERE key = 'old'";
    eventually("what is over is swept out", async || {
        number(&app, old).await == 0
    })
    .await;

    let left = "SELECT count(*) FROM {schema}.idempotency_key WHERE key = 'new'";
    assert_eq!(number(&app, left).await, 1);
}

#[actix_web::test]
async fn everybody_has_keys_of_their_own() {
    let app = TestApp::start().await;
    let (acme, bolt) = (app.dealer().await, app.dealer().await);
    let buyer = app.member(&acme, "buyer").await;

    let first = post(&acme, "/items", "k", &item("A")).await.expect(201);
    let colleague = post(&buyer, "/items", "k", &item("B")).await.expect(201);
    let neighbour = post(&bolt, "/items", "k", &item("A")).await.expect(201);

    for other in [colleague, neighbour] {
        assert_eq!(other.header("idempotency-replayed"), "");
        assert_ne!(other.json["id"], first.json["id"]);
    }
}

#[actix_web::test]
async fn a_replay_is_for_those_who_still_may() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let buyer = app.member(&acme, "buyer").await;
    post(&buyer, "/items", "k", &item("A")).await.expect(201);
    let schema = app.database.schema_of("acme").await;
    let demote = format!("UPDATE {schema}.member SET role = 'viewer' WHERE role = 'buyer'");
    app.sql_on_access(&schema, &demote).await;

    tests::eventually("the role is heard of", async || {
        post(&buyer, "/items", "k", &item("A")).await.status == 403
    })
    .await;
}

#[actix_web::test]
async fn a_request_that_failed_is_judged_anew() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let unit = json!({"sku": "A", "name": "a", "base_unit": "barrel"});

    post(&acme, "/items", "k", &unit).await.expect(422);
    let barrel = json!({"code": "barrel", "name": "Barrel", "symbol": "bl", "decimals": 0});
    acme.post("/units", barrel).await.expect(201);

    post(&acme, "/items", "k", &unit).await.expect(201);
    assert_eq!(items(&app).await, 1);
}

#[actix_web::test]
async fn an_import_is_done_once_and_its_acceptance_is_answered_again() {
    let app = TestApp::start_working().await;
    let acme = app.dealer().await;
    let file = "sku,name,unit,price\nA,a,pcs,1.50\nB,b,pcs,wrong\n";

    let first = import(&acme, file).await.expect(202);
    let again = import(&acme, file).await;
    let other = import(&acme, "sku,name,unit,price\nA,a,pcs,2.50\n").await;

    let report = acme.report(first.clone()).await.expect(200);
    assert_eq!(report.json["created"], 1);
    assert_eq!(report.json["rejected_rows"][0]["line"], 3);
    assert_replayed(&first, &again);
    assert_eq!(other.status, 422);
    assert_eq!(other.problem(), "idempotency_key_reused");
    let records = "SELECT count(*) FROM {schema}.audit_record WHERE action = 'import.apply'";
    assert_eq!(number(&app, records).await, 1);
    // Without a name the same file is looked at anew.
    let unnamed = acme.import("", file).await.expect(200);
    assert_eq!(unnamed.json["unchanged"], 1);
}

async fn import(who: &Actor, file: &str) -> Reply {
    let part = Part::bytes(file.as_bytes().to_vec()).file_name("prices.csv");
    let request = who.request(Method::POST, "/imports?apply=true");
    let form = Form::new().part("file", part);
    who.send(request.header("idempotency-key", "file-1").multipart(form))
        .await
}
