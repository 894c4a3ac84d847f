//! Requests that take too long.

use serde_json::json;
use sqlx::Executor;
use tests::{Dealer, TestApp};

use super::assert_problem;

/// An item whose row somebody holds until the returned connection is used again.
async fn held_item(app: &TestApp, dealer: &Dealer) -> (String, sqlx::PgConnection) {
    let item = dealer.item("A", json!({})).await;
    let schema = app.database.schema_of(&dealer.slug).await;
    let mut holder = app.database.connect().await;
    let lock = format!("BEGIN; SELECT 1 FROM {schema}.item WHERE sku = 'A' FOR UPDATE");
    holder
        .execute(sqlx::raw_sql(sqlx::AssertSqlSafe(lock)))
        .await
        .unwrap();
    (format!("/items/{}", item["id"].as_str().unwrap()), holder)
}

#[actix_web::test]
async fn a_request_past_its_time_limit_is_ended_and_changes_nothing() {
    // Long enough for a sign-in on a busy machine.
    let app = TestApp::start_with(&[("TUBEX_HTTP__REQUEST_TIMEOUT_MS", "3000")]).await;
    let dealer = app.dealer().await;
    let (path, mut holder) = held_item(&app, &dealer).await;

    let late = dealer.patch(&path, 1, json!({"name": "late"})).await;
    holder.execute("ROLLBACK").await.unwrap();
    let in_time = dealer.patch(&path, 1, json!({"name": "in time"})).await;

    assert_problem(&late, 503, "request_timed_out");
    assert!(
        late.header("retry-after")
            .parse::<u64>()
            .is_ok_and(|seconds| seconds > 0)
    );
    let item = in_time.expect(200).json;
    assert_eq!(
        (&item["name"], &item["version"]),
        (&json!("in time"), &json!(2))
    );
}

#[actix_web::test]
async fn a_statement_past_its_time_limit_is_ended_by_the_database() {
    let app = TestApp::start_with(&[("TUBEX_DATABASE__STATEMENT_TIMEOUT_MS", "1000")]).await;
    let dealer = app.dealer().await;
    let (path, mut holder) = held_item(&app, &dealer).await;

    let late = dealer.patch(&path, 1, json!({"name": "late"})).await;
    holder.execute("ROLLBACK").await.unwrap();
    let in_time = dealer.patch(&path, 1, json!({"name": "in time"})).await;

    assert_problem(&late, 503, "request_timed_out");
    assert!(
        late.header("retry-after")
            .parse::<u64>()
            .is_ok_and(|seconds| seconds > 0)
    );
    assert_eq!(in_time.expect(200).json["version"], 2);
}
