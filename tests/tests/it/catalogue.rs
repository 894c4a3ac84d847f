//! Items, groups and units, through HTTP.

use serde_json::json;
use tests::TestApp;

#[actix_web::test]
async fn an_item_is_created_read_changed_retired_and_restored() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;

    let item = dealer
        .item(
            "BRK-1",
            json!({"price": {"amount": "72.910", "currency": "EUR", "per": "100"}}),
        )
        .await;
    let path = format!("/items/{}", item["id"].as_str().unwrap());
    assert_eq!(
        item["price"],
        json!({"amount": "72.91", "currency": "EUR", "per": "100", "unit": "pcs"})
    );

    let changed = dealer
        .patch(&path, 1, json!({"name": "Brick"}))
        .await
        .expect(200);
    assert_eq!(
        (&changed.json["name"], changed.header("etag")),
        (&json!("Brick"), "\"2\"")
    );
    let stale = dealer
        .patch(&path, 1, json!({"name": "Late"}))
        .await
        .expect(412);
    assert_eq!(stale.problem(), "precondition_failed");

    dealer.delete(&path).await.expect(204);
    assert_eq!(dealer.get("/items").await.json["data"], json!([]));
    assert_eq!(dealer.get(&path).await.json["status"], "retired");
    dealer
        .post(&format!("{path}/restore"), json!({}))
        .await
        .expect(200);
    assert_eq!(dealer.get("/items").await.json["data"][0]["name"], "Brick");
}
