//! A POST that has a name is done once, however often it is sent and whatever gets lost.

mod keys;
mod lost;
mod races;
mod replay;

use reqwest::Method;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use tests::{Actor, Reply, TestApp};

/// Sends a POST by this name.
async fn post(who: &Actor, path: &str, key: &str, body: &Value) -> Reply {
    let request = who.request(Method::POST, path);
    who.send(request.header("idempotency-key", key).json(body))
        .await
}

fn item(sku: &str) -> Value {
    json!({"sku": sku, "name": "Screw", "base_unit": "pcs"})
}

/// A number from the first dealer's schema.
async fn number(app: &TestApp, sql: &str) -> i64 {
    let schema = app.database.schema_of("acme").await;
    let mut connection = app.database.connect().await;
    let sql = sql.replace("{schema}", &schema);
    sqlx::query_scalar(AssertSqlSafe(sql))
        .fetch_one(&mut connection)
        .await
        .unwrap()
}

async fn items(app: &TestApp) -> i64 {
    number(app, "SELECT count(*) FROM {schema}.item").await
}

async fn item_records(app: &TestApp) -> i64 {
    let sql = "SELECT count(*) FROM {schema}.audit_record WHERE action = 'item.create'";
    number(app, sql).await
}

#[track_caller]
fn assert_replayed(first: &Reply, again: &Reply) {
    assert_eq!(again.status, first.status, "{}", again.text());
    assert_eq!(again.body, first.body);
    for header in ["content-type", "location", "etag"] {
        assert_eq!(again.header(header), first.header(header), "{header}");
    }
    assert_eq!(first.header("idempotency-replayed"), "");
    assert_eq!(again.header("idempotency-replayed"), "true");
}
