//! Webhooks: what happened is sent to who wants to hear of it, signed, until they have it.

mod crash;
mod delivery;
mod endpoints;
mod failures;
mod guard;
mod libraries;
mod receiver;
mod replay;
mod tls;

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Actor, Dealer, TestApp, eventually};

pub use receiver::{Got, Reaction, Receiver};

/// Receivers of tests listen at this machine, in the clear.
pub const KEYS: [(&str, &str); 5] = [
    ("TUBEX_JOBS__INSIDE", "true"),
    ("TUBEX_WEBHOOKS__ALLOW_HTTP", "true"),
    ("TUBEX_WEBHOOKS__ALLOW_NETWORKS", "127.0.0.1/32"),
    ("TUBEX_WEBHOOKS__PORTS", "1-65535"),
    ("TUBEX_WEBHOOKS__TIMEOUT_MS", "3000"),
];

/// An app that sends what happens.
pub async fn start() -> TestApp {
    TestApp::start_with(&KEYS).await
}

/// An endpoint of a dealer: `{"secret", "endpoint"}`.
pub async fn endpoint(who: &Actor, url: &str, event_types: &[&str]) -> Value {
    let new = json!({"url": url, "event_types": event_types, "signing": "both"});
    who.post("/webhook-endpoints", new).await.expect(201).json
}

/// The id of what `endpoint` answered with.
pub fn id_of(made: &Value) -> &str {
    made["endpoint"]["id"].as_str().unwrap()
}

/// Sends something that has no body.
pub async fn post(who: &Actor, path: &str) -> tests::Reply {
    who.send(who.request(Method::POST, path)).await
}

/// The deliveries to an endpoint, the newest first.
pub async fn deliveries(who: &Actor, endpoint: &str) -> Vec<Value> {
    let path = format!("/webhook-deliveries?endpoint_id={endpoint}&limit=200");
    let list = who.get(&path).await.expect(200).json;
    list["data"].as_array().unwrap().clone()
}

/// The only delivery to an endpoint, once it is in a state, with its attempts.
pub async fn once_it_is(who: &Actor, endpoint: &str, state: &str) -> Value {
    let mut id = String::new();
    eventually(state, async || {
        let all = deliveries(who, endpoint).await;
        assert!(all.len() < 2, "{all:#?}");
        let found = all.iter().find(|one| one["state"] == state);
        id = found.map_or_else(String::new, |one| one["id"].as_str().unwrap().to_owned());
        found.is_some()
    })
    .await;
    let path = format!("/webhook-deliveries/{id}");
    who.get(&path).await.expect(200).json
}

/// What waits for its time is due.
pub async fn bring_forward(app: &TestApp) {
    app.sql(
        "UPDATE jobs.job SET run_at = clock_timestamp(), state = 'ready'
         WHERE state = 'scheduled' AND kind = 'webhook.deliver'",
    )
    .await;
}

/// A number that a statement on a dealer's tables answers with.
pub async fn number(app: &TestApp, dealer: &Dealer, sql: &str) -> i64 {
    let schema = app.database.schema_of(&dealer.slug).await;
    let sql = sql.replace("{schema}", &schema);
    sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
        .fetch_one(&mut app.database.connect().await)
        .await
        .unwrap()
}

/// How many attempts were made of all that a dealer sends, once there are so many.
pub async fn attempts_are(app: &TestApp, dealer: &Dealer, many: i64) {
    let sql = "SELECT count(*) FROM {schema}.webhook_attempt";
    let schema = app.database.schema_of(&dealer.slug).await;
    // An attempt and the job after it come to be at once: one statement sees both or neither, and
    // brings none forward too many.
    let due = format!(
        "UPDATE jobs.job SET run_at = clock_timestamp(), state = 'ready'
         WHERE state = 'scheduled' AND kind = 'webhook.deliver'
            AND (SELECT count(*) FROM {schema}.webhook_attempt) < {many}"
    );
    eventually(&format!("{many} attempts"), async || {
        app.sql(&due).await;
        number(app, dealer, sql).await >= many
    })
    .await;
    assert_eq!(number(app, dealer, sql).await, many);
}
