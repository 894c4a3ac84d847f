//! What items cost the dealer: seen by those who may see it, set by those who may set it.

use serde_json::{Value, json};
use tests::{Actor, Dealer, TestApp};

use super::member_with;

const PRICE: &str = "72.91";

async fn item(dealer: &Dealer) -> String {
    let fields = json!({"price": {"amount": PRICE, "currency": "EUR"}, "cost": "48.10"});
    let item = dealer.item("BRICK", fields).await;
    assert_eq!(item["cost"], "48.1");
    item["id"].as_str().unwrap().to_owned()
}

async fn keeper(app: &TestApp, dealer: &Dealer, name: &str, more: &[&str]) -> Actor {
    let held = ["item.read", "item.write"].iter().chain(more);
    let grants: Vec<_> = held.map(|name| json!({ "permission": name })).collect();
    member_with(app, dealer, name, json!(grants)).await.0
}

#[actix_web::test]
async fn who_may_not_see_costs_finds_no_trace_of_them() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let id = item(&dealer).await;
    let keeper = keeper(&app, &dealer, "keeper", &[]).await;
    let key = json!({"name": "Shop", "permissions": ["item.read", "item.write"]});
    let key = dealer.post("/api-keys", key).await.expect(201);
    let key = dealer.with_token(key.json["key"].as_str().unwrap());
    let path = format!("/items/{id}");

    for who in [&keeper, &key] {
        let version = dealer.get(&path).await.expect(200).json["version"].clone();
        let new = json!({"sku": format!("NEW-{version}"), "name": "n", "base_unit": "pcs"});
        let rename = json!({"name": format!("Renamed at {version}")});
        for reply in [
            who.get(&path).await.expect(200),
            who.get("/items").await.expect(200),
            who.get("/items?q=brick").await.expect(200),
            who.get("/items?include=group,unit").await.expect(200),
            who.get(&format!("{path}?fields=id,cost")).await.expect(200),
            who.post("/items", new).await.expect(201),
            who.patch(&path, version.as_i64().unwrap(), rename)
                .await
                .expect(200),
            who.post(&format!("{path}/restore"), Value::Null)
                .await
                .expect(200),
        ] {
            assert!(!reply.text().contains("cost"), "{}", reply.text());
            assert!(!reply.text().contains("48.1"), "{}", reply.text());
        }
    }
    assert_eq!(
        dealer.get(&path).await.json["cost"],
        "48.1",
        "and they are still there"
    );
}

#[actix_web::test]
async fn who_may_see_them_does_not_thereby_set_them() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let path = format!("/items/{}", item(&dealer).await);
    let reader = keeper(&app, &dealer, "reader", &["price.cost.read"]).await;
    let price = json!({"amount": PRICE, "currency": "EUR"});
    let new = json!({"sku": "N", "name": "n", "base_unit": "pcs", "price": price, "cost": "1"});

    let seen = reader.get(&path).await.expect(200);
    let made = reader.post("/items", new).await;
    let set = reader.patch(&path, 1, json!({"cost": "1"})).await;
    let cleared = reader.patch(&path, 1, json!({"cost": null})).await;

    assert_eq!(seen.json["cost"], "48.1");
    for refused in [made, set, cleared] {
        let got = (refused.status.as_u16(), refused.problem());
        assert_eq!(got, (403, "permission_denied"), "{}", refused.text());
        assert_eq!(refused.json["errors"][0]["pointer"], "/cost");
    }
    assert_eq!(dealer.get(&path).await.json["version"], 1);
}

#[actix_web::test]
async fn who_may_set_them_does_not_thereby_see_them() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let path = format!("/items/{}", item(&dealer).await);
    let writer = keeper(&app, &dealer, "writer", &["price.cost.write"]).await;

    let set = writer
        .patch(&path, 1, json!({"cost": "50.000001"}))
        .await
        .expect(200);

    assert!(set.json.get("cost").is_none());
    assert_eq!(dealer.get(&path).await.json["cost"], "50.000001");
}

#[actix_web::test]
async fn a_cost_is_for_as_much_as_the_price_and_goes_with_it() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let path = format!("/items/{}", item(&dealer).await);
    let new = |cost: Value| json!({"sku": "N", "name": "n", "base_unit": "pcs", "cost": cost});

    let without_price = dealer.post("/items", new(json!("1"))).await.expect(422);
    let kept = dealer
        .patch(&path, 1, json!({"name": "Still"}))
        .await
        .expect(200);
    let cleared = dealer
        .patch(&path, 2, json!({"price": null}))
        .await
        .expect(200);
    let unpriced = dealer
        .patch(&path, 3, json!({"cost": "1"}))
        .await
        .expect(422);

    assert_eq!(without_price.json["errors"][0]["pointer"], "/cost");
    assert_eq!(unpriced.json["errors"][0]["code"], "needs_price");
    assert_eq!(kept.json["cost"], "48.1");
    assert_eq!(
        (&cleared.json["price"], &cleared.json["cost"]),
        (&Value::Null, &Value::Null)
    );
    for wrong in [json!("-1"), json!("1e3"), json!("0.0000001"), json!(1)] {
        let refused = dealer.post("/items", new(wrong.clone())).await;
        assert_eq!(refused.status, 422, "{wrong}");
    }
}
