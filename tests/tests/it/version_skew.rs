//! Servers and the fleet at different versions: neither a server that is newer than a dealer nor one
//! that is older may fail a request, and nobody takes away what a live server needs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use tests::{Dealer, OlderDealers, Scratch, TestApp, eventually, tubex};

/// The oldest that this build serves.
const SERVED: &str = "m0014_notifications";
const OLD: &str = "m0002_catalogue";
const BEFORE_CONTRACT: &str = "m0005_session_recent_idx";

/// `tubex` on a thread that may wait: what it ended with, and its answer and complaint as JSON.
async fn run(database: &Scratch, words: &[&str]) -> (Option<i32>, Value, Value) {
    let url = database.owner_url();
    let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
    let running = tokio::task::spawn_blocking(move || {
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        tubex(&url, &words, &[])
    });
    let output = running.await.unwrap();
    // What tells of a run is a line for each event; the last one says how it ended.
    let read = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let last = text.lines().last().unwrap_or_default();
        serde_json::from_str(last).unwrap_or(Value::Null)
    };
    (
        output.status.code(),
        read(&output.stdout),
        read(&output.stderr),
    )
}

/// What people do all day; every answer has to be a good one.
async fn works(app: &TestApp, dealer: &Dealer, number: usize) {
    let owner = app.enter(&dealer.slug).await;
    owner.get("/items").await.expect(200);
    let sku = format!("SKEW-{number}");
    let barcode = format!("40{number:011}");
    let made = owner
        .item(
            &sku,
            json!({"name": format!("Skewed board {number}"), "barcodes": [barcode]}),
        )
        .await;
    assert_eq!(made["barcodes"], json!([barcode]));
    let path = format!("/items/{}", made["id"].as_str().unwrap());
    let version = made["version"].as_i64().unwrap();
    owner
        .patch(&path, version, json!({"description": "as new"}))
        .await
        .expect(200);
    let found = owner.get(&format!("/items?q={barcode}")).await.expect(200);
    let named = owner.get(&format!("/items?q={sku}")).await.expect(200);
    for (how, found) in [("barcode", found), ("sku", named)] {
        let skus = found.json["data"].as_array().unwrap().iter();
        let skus: Vec<_> = skus.map(|item| item["sku"].as_str().unwrap()).collect();
        assert!(skus.contains(&sku.as_str()), "by {how}: {skus:?}");
    }
}

async fn version_of(app: &TestApp, slug: &str) -> String {
    sqlx::query_scalar("SELECT schema_version FROM platform.tenant WHERE slug = $1")
        .bind(slug)
        .fetch_one(&mut app.database.connect().await)
        .await
        .unwrap()
}

#[actix_web::test]
async fn a_server_that_is_newer_than_the_fleet_serves_before_while_and_after_it_is_migrated() {
    let database = Scratch::with_dealers().await;
    let old = OlderDealers::knowing(14);
    old.create(&database, "elder").await;
    let provisioner = old.provisioner(&database).await.unwrap();
    // Company, so that the run takes a while.
    for number in 0..40 {
        let slug = format!("company-{number}");
        OlderDealers::create_at(&provisioner, &slug, None, &["demo"])
            .await
            .unwrap();
    }
    let app = Arc::new(TestApp::start_on(database, &[]).await);
    let elder = app.enter("elder").await;
    assert_eq!(version_of(&app, "elder").await, SERVED);
    for number in 0..5 {
        works(&app, &elder, number).await;
    }

    let is_over = Arc::new(AtomicBool::new(false));
    let traffic = {
        let (app, elder, is_over) = (app.clone(), elder.clone(), is_over.clone());
        actix_web::rt::spawn(async move {
            let mut rounds = 0;
            while !is_over.load(Ordering::Relaxed) {
                works(&app, &elder, 1_000 + rounds).await;
                rounds += 1;
            }
            rounds
        })
    };
    let (code, ended, _) = run(
        &app.database,
        &["migrate", "--json", "--batch", "10", "--max-failures", "0"],
    )
    .await;
    is_over.store(true, Ordering::Relaxed);
    let rounds = traffic.await.unwrap();

    assert_eq!(
        (code, &ended["state"]),
        (Some(0), &json!("done")),
        "{ended}"
    );
    assert_eq!(ended["tenants"]["done"], 41);
    assert!(rounds > 0, "nobody asked for anything meanwhile");
    assert_eq!(version_of(&app, "elder").await, server::doctor::NEWEST);
    for number in 10..15 {
        works(&app, &elder, number).await;
    }
}

#[actix_web::test]
async fn a_dealer_that_is_too_far_behind_is_told_to_come_back_and_served_once_it_is_migrated() {
    let database = Scratch::with_dealers().await;
    OlderDealers::knowing(13).create(&database, "elder").await;
    let app = TestApp::start_on(database, &[]).await;
    let stranger = app.stranger("elder.localhost");
    let password = app.dealer().await.password;

    let refused = stranger.sign_in("owner@elder.example", &password).await;

    assert_eq!(
        (refused.status.as_u16(), refused.problem()),
        (503, "tenant_upgrading")
    );
    assert!(!refused.header("retry-after").is_empty());
    let (code, ended, _) = run(&app.database, &["migrate", "--json"]).await;
    assert_eq!((code, &ended["state"]), (Some(0), &json!("done")));
    eventually("it is served", async || {
        let entered = stranger.sign_in("owner@elder.example", &password).await;
        entered.status == 200
    })
    .await;
    works(&app, &app.enter("elder").await, 0).await;
}

#[actix_web::test]
async fn a_server_that_is_older_than_the_fleet_serves_it() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    works(&app, &acme, 0).await;
    let schema = app.database.schema_of(&acme.slug).await;

    // As a later build's expanding migration leaves it.
    app.sql(&format!(
        "BEGIN;
         ALTER TABLE {schema}.item ADD COLUMN future text;
         CREATE TABLE {schema}.future_thing (id uuid PRIMARY KEY,
             item_id uuid REFERENCES {schema}.item (id), note text NOT NULL DEFAULT '');
         GRANT SELECT, INSERT, UPDATE, DELETE ON {schema}.future_thing TO {schema};
         INSERT INTO {schema}.seaql_migrations (version, applied_at) VALUES ('m0999_future', 0);
         UPDATE platform.tenant SET schema_version = 'm0999_future' WHERE slug = '{}';
         COMMIT",
        acme.slug
    ))
    .await;

    for number in 1..5 {
        works(&app, &acme, number).await;
    }
    // And one that starts when the fleet is ahead already.
    let second = TestApp::start_on(app.database.clone(), &[]).await;
    second
        .stranger("localhost")
        .get("/readyz")
        .await
        .expect(200);
    for number in 5..10 {
        works(&second, &acme, number).await;
    }
    let (code, nothing, _) = run(&app.database, &["migrate", "--json"]).await;
    assert_eq!(
        (code, &nothing["event"], &nothing["ahead"]),
        (Some(0), &json!("nothing"), &json!(1)),
        "an older tubex leaves it alone: {nothing}"
    );
    let (code, seen, _) = run(&app.database, &["drift", "--json"]).await;
    let ahead = (&seen["unknown"][0]["slug"], &seen["drifted"]);
    assert_eq!((code, ahead), (Some(1), (&json!(acme.slug), &json!([]))));
}

#[actix_web::test]
async fn a_contract_waits_until_no_live_server_needs_what_it_takes_away() {
    let database = Scratch::with_dealers().await;
    OlderDealers::knowing(2).create(&database, "elder").await;
    let app = TestApp::start_on(database, &[]).await;
    let knows = "SELECT knows FROM platform.server_process WHERE build <> 'the-old-build'";
    eventually("the server says what it knows", async || {
        let knows: Vec<String> = sqlx::query_scalar(knows)
            .fetch_all(&mut app.database.connect().await)
            .await
            .unwrap();
        knows == [server::doctor::NEWEST]
    })
    .await;
    app.sql(
        "INSERT INTO platform.server_process (id, build, knows, needs, seen_at)
         VALUES ('01890000-0000-7000-8000-000000000001', 'the-old-build',
             'm0004_barcode_kind_fill', 'm0002_catalogue', now())",
    )
    .await;

    let (code, _, refusal) = run(&app.database, &["migrate", "--json"]).await;
    assert_eq!(code, Some(1));
    let error = &refusal["error"];
    assert_eq!(error["code"], "needed_by_servers", "{refusal}");
    let hint = error["hint"].as_str().unwrap();
    for word in [
        "the-old-build",
        "01890000-0000-7000-8000-000000000001",
        "--to",
    ] {
        assert!(hint.contains(word), "{word} is not in: {hint}");
    }
    assert_eq!(version_of(&app, "elder").await, OLD, "nobody was touched");

    let (code, ended, _) = run(
        &app.database,
        &["migrate", "--json", "--to", BEFORE_CONTRACT],
    )
    .await;
    assert_eq!(
        (code, &ended["state"]),
        (Some(0), &json!("done")),
        "{ended}"
    );
    assert_eq!(version_of(&app, "elder").await, BEFORE_CONTRACT);

    app.sql("DELETE FROM platform.server_process WHERE build = 'the-old-build'")
        .await;
    let (code, ended, _) = run(&app.database, &["migrate", "--json"]).await;
    assert_eq!(
        (code, &ended["state"]),
        (Some(0), &json!("done")),
        "{ended}"
    );
    assert_eq!(version_of(&app, "elder").await, server::doctor::NEWEST);
    works(&app, &app.enter("elder").await, 1).await;
}
