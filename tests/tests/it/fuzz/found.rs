//! What made-up requests have found, so that it is not lost again.

use serde_json::json;
use tests::TestApp;

/// It was kept, and then the item could never be read again.
#[actix_web::test]
async fn a_number_that_could_not_be_read_again_is_not_kept() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let item =
        |sku: &str, custom| json!({"sku": sku, "name": "n", "base_unit": "pcs", "custom": custom});

    for vast in [
        json!({"n": 1e300}),
        json!({"n": [{"n": -1.797_693_134_862_315_7e308}]}),
    ] {
        let reply = dealer.post("/items", item("A", vast)).await.expect(422);
        assert_eq!(reply.json["errors"][0]["pointer"], "/custom");
    }
    let large = json!({"n": -9.9e299, "small": 5e-324, "whole": u64::MAX});
    let kept = dealer
        .post("/items", item("A", large.clone()))
        .await
        .expect(201);
    assert_eq!(kept.json["custom"]["n"], large["n"]);
    let path = format!("/items/{}", kept.json["id"].as_str().unwrap());
    let read = dealer.get(&path).await.expect(200);
    assert_eq!(read.json["custom"]["whole"], u64::MAX);

    let version = read.json["version"].as_i64().unwrap();
    let change = json!({"custom": {"n": 1.7e308}});
    dealer.patch(&path, version, change).await.expect(422);
}
