//! The review of who may what.

use serde_json::json;
use tests::TestApp;

use super::{member_with, only};

#[actix_web::test]
async fn the_report_tells_everybodys_role_grants_and_keys() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let (_, id) = member_with(&app, &dealer, "looker", only("item.read")).await;
    let key = json!({"name": "One", "permissions": ["item.read"]});
    let key = dealer.post("/api-keys", key).await.expect(201);

    let report = dealer.get("/permissions/report").await.expect(200);

    let rows = report.json["data"].as_array().unwrap().clone();
    let row = |id: &str| {
        rows.iter()
            .find(|row| row["member_id"] == id)
            .unwrap()
            .clone()
    };
    let looker = row(&id.to_string());
    assert_eq!(looker["role"]["name"], "looker");
    assert_eq!(
        looker["grants"],
        json!([{"permission": "item.read", "scope": "all"}])
    );
    assert_eq!(
        (&looker["api_keys"], &looker["is_active"]),
        (&json!(0), &json!(true))
    );
    let owner = row(key.json["api_key"]["member_id"].as_str().unwrap());
    assert_eq!(owner["role"], json!({"id": null, "name": "owner"}));
    assert_eq!(owner["api_keys"], 1);
    let pages = dealer.get("/permissions/report?limit=1").await.expect(200);
    assert!(pages.json["next"].is_string());
}
