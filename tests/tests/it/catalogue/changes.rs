//! Changing an item, field by field.

use serde_json::{Value, json};
use tests::{Dealer, TestApp};

use super::{group, path_of, pointers};

/// An item in which every field is filled, and where it is.
async fn full_item(dealer: &Dealer) -> (String, Value) {
    let bricks = group(dealer, "Bricks", None).await;
    let fields = json!({
        "name": "Brick", "description": "red", "group_id": bricks["id"],
        "price": {"amount": "1.5", "currency": "EUR", "per": "10", "unit": "m2"},
        "barcodes": ["one", "two"], "custom": {"a": 1},
    });
    let item = dealer.item("A", fields).await;
    (path_of(&item), item)
}

#[actix_web::test]
async fn each_field_changes_alone_and_the_others_stay() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let (path, mut expected) = full_item(&dealer).await;
    let other = group(&dealer, "Other", None).await;
    let price = json!({"amount": "2", "currency": "USD", "per": "1", "unit": "kg"});

    for (version, (field, value)) in (1..).zip([
        ("sku", json!("B")),
        ("name", json!("Block")),
        ("description", json!("")),
        ("group_id", other["id"].clone()),
        ("base_unit", json!("kg")),
        ("price", price),
        ("barcodes", json!(["two", "three"])),
        ("barcodes", json!([])),
        ("status", json!("obsolete")),
        ("custom", json!({"b": {"c": []}})),
        ("custom", json!({})),
        ("group_id", Value::Null),
        ("price", Value::Null),
    ]) {
        let reply = dealer
            .patch(&path, version, json!({field: value}))
            .await
            .expect(200);

        expected[field] = value;
        expected["version"] = json!(version + 1);
        expected["updated_at"] = reply.json["updated_at"].clone();
        assert_eq!(reply.json, expected, "{field}");
        assert_eq!(reply.header("etag"), format!("\"{}\"", version + 1));
        assert_eq!(dealer.get(&path).await.json, expected, "{field}");
    }
}

#[actix_web::test]
async fn the_time_of_the_change_is_told() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let (path, before) = full_item(&dealer).await;

    app.advance(time::Duration::minutes(5));
    let after = dealer
        .patch(&path, 1, json!({"name": "x"}))
        .await
        .expect(200)
        .json;

    assert_eq!(after["created_at"], before["created_at"]);
    assert!(after["updated_at"].as_str() > before["updated_at"].as_str());
}

#[actix_web::test]
async fn what_can_not_be_empty_can_not_be_null() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let (path, before) = full_item(&dealer).await;

    for field in [
        "sku",
        "name",
        "description",
        "base_unit",
        "barcodes",
        "status",
        "custom",
    ] {
        let reply = dealer.patch(&path, 1, json!({field: null})).await;

        assert_eq!(reply.status, 422, "{field}: {}", reply.text());
    }
    assert_eq!(dealer.get(&path).await.json, before);
}

#[actix_web::test]
async fn a_new_price_names_its_unit_unless_the_base_unit_comes_with_it() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let path = path_of(&dealer.item("A", json!({})).await);
    let price = json!({"amount": "1", "currency": "EUR"});

    let silent = dealer
        .patch(&path, 1, json!({"price": price}))
        .await
        .expect(422);
    let with_base = json!({"price": price, "base_unit": "kg"});
    let told = dealer.patch(&path, 1, with_base).await.expect(200);

    assert_eq!(pointers(&silent), ["/price/unit"]);
    assert_eq!(told.json["price"]["unit"], "kg");
}

#[actix_web::test]
async fn a_change_that_breaks_a_rule_changes_nothing() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let (path, before) = full_item(&dealer).await;
    let taken = json!({"barcodes": ["taken"]});
    dealer.item("TAKEN", taken).await;
    let nobody = "01890000-0000-7000-8000-000000000000";
    let price =
        |amount: &str, unit: &str| json!({"amount": amount, "currency": "EUR", "unit": unit});

    for (change, status, code, pointer) in [
        (json!({"name": "x", "sku": "TAKEN"}), 409, "sku_taken", ""),
        (
            json!({"name": "x", "barcodes": ["one", "taken"]}),
            409,
            "barcode_taken",
            "",
        ),
        (
            json!({"name": "x", "base_unit": "nope"}),
            422,
            "fields_invalid",
            "/base_unit",
        ),
        (
            json!({"name": "x", "price": price("1", "nope")}),
            422,
            "fields_invalid",
            "/price/unit",
        ),
        (
            json!({"name": "x", "price": price("-1", "pcs")}),
            422,
            "fields_invalid",
            "/price/amount",
        ),
        (
            json!({"name": "x", "group_id": nobody}),
            422,
            "fields_invalid",
            "/group_id",
        ),
        (
            json!({"name": "x", "sku": " "}),
            422,
            "fields_invalid",
            "/sku",
        ),
        (
            json!({"name": "x", "retired_at": null}),
            422,
            "fields_invalid",
            "",
        ),
    ] {
        let reply = dealer.patch(&path, 1, change.clone()).await;

        assert_eq!(
            (reply.status.as_u16(), reply.problem()),
            (status, code),
            "{change}"
        );
        if !pointer.is_empty() {
            assert_eq!(pointers(&reply), [pointer], "{change}");
        }
    }
    assert_eq!(dealer.get(&path).await.json, before);
}

#[actix_web::test]
async fn a_barcode_moves_from_one_item_to_another_once_it_is_free() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let (path, _) = full_item(&dealer).await;
    let other = path_of(&dealer.item("B", json!({})).await);

    dealer
        .patch(&path, 1, json!({"barcodes": ["two"]}))
        .await
        .expect(200);
    let moved = dealer
        .patch(&other, 1, json!({"barcodes": ["one"]}))
        .await
        .expect(200);

    assert_eq!(moved.json["barcodes"], json!(["one"]));
}

#[actix_web::test]
async fn custom_fields_come_back_as_they_were_sent() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let path = path_of(&dealer.item("A", json!({})).await);
    let mut deep = json!("end");
    for _ in 0..60 {
        deep = json!({ "in": deep });
    }

    for (version, custom) in (1..).zip([
        json!({"": "empty key", " ": 0, "ключ": "значение", "🧱": "🧱"}),
        json!({"big": 9_007_199_254_740_993_i64, "small": -1, "float": 0.1, "no": null, "yes": true}),
        json!({"html": "</script>", "quote": "\"'\\", "lines": "a\r\nb\tc"}),
        deep,
        json!({"long": "x".repeat(100_000)}),
    ]) {
        let reply = dealer.patch(&path, version, json!({"custom": custom})).await.expect(200);

        assert_eq!(reply.json["custom"], custom);
        assert_eq!(dealer.get(&path).await.json["custom"], custom);
    }
}

#[actix_web::test]
async fn a_neighbours_item_does_not_exist() {
    let app = TestApp::start().await;
    let (ours, theirs) = (app.dealer().await, app.dealer().await);
    let path = path_of(&theirs.item("A", json!({})).await);

    let replies = [
        ours.get(&path).await,
        ours.patch(&path, 1, json!({"name": "mine"})).await,
        ours.delete(&path).await,
        ours.post(&format!("{path}/restore"), json!({})).await,
    ];

    for reply in replies {
        assert_eq!(
            (reply.status.as_u16(), reply.problem()),
            (404, "item_not_found")
        );
    }
    assert_eq!(theirs.get(&path).await.json["version"], 1);
}
