//! What is noted of keys behind the backs of requests.

use serde_json::{Value, json};
use tests::{TestApp, eventually};

use super::key;

const UNITS: (&str, &str) = (
    "TUBEX_API__DEPRECATED",
    "list_units 2026-07-01 2027-01-01 https://tubex.example/changes#units",
);

#[actix_web::test]
async fn its_last_use_is_told_and_is_no_change() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let made = key(&dealer, json!({})).await;
    let path = format!("/api-keys/{}", made.id);
    assert_eq!(dealer.get(&path).await.json["last_used_at"], Value::Null);

    made.machine.get("/items").await.expect(200);

    eventually("its use is written down", async || {
        let told = dealer.get(&path).await.expect(200).json;
        told["last_used_at"].is_string() && told["last_used_from"] == "127.0.0.1"
    })
    .await;
    assert_eq!(dealer.get(&path).await.json["version"], 1);
}

#[actix_web::test]
async fn calls_of_what_will_go_away_are_counted_by_key_and_day() {
    let app = TestApp::start_with(&[UNITS]).await;
    let dealer = app.dealer().await;
    let (one, other) = (key(&dealer, json!({})).await, key(&dealer, json!({})).await);

    for _ in 0..3 {
        one.machine.get("/units").await.expect(200);
    }
    other.machine.get("/items").await.expect(200);

    let usage = async |id: &str| {
        let usage = dealer
            .get(&format!("/api-keys/{id}/usage"))
            .await
            .expect(200);
        usage.json["data"].as_array().unwrap().clone()
    };
    eventually("the calls are written down", async || {
        let rows = usage(&one.id).await;
        let days: Vec<_> = rows.iter().map(|row| row["day"].clone()).collect();
        let today = time::OffsetDateTime::now_utc().date().to_string();
        let calls: i64 = rows.iter().filter_map(|row| row["calls"].as_i64()).sum();
        calls == 3 && rows.iter().all(|row| row["operation"] == "list_units") && days == [today]
    })
    .await;
    assert!(usage(&other.id).await.is_empty());
}
