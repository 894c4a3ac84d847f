//! Which field is wrong, as a JSON pointer.

use serde_json::json;
use tests::TestApp;

use super::assert_problem;

#[actix_web::test]
async fn a_field_of_the_wrong_shape_is_pointed_at() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let good = json!({"sku": "X", "name": "x", "base_unit": "pcs"});

    for (fields, pointer) in [
        (json!({"sku": 5}), "/sku"),
        (json!({"name": null}), "/name"),
        (
            json!({"price": {"amount": 1.5, "currency": "EUR"}}),
            "/price/amount",
        ),
        (
            json!({"price": {"amount": "1,5", "currency": "EUR"}}),
            "/price/amount",
        ),
        (
            json!({"price": {"amount": "1", "currency": "EUR", "per": []}}),
            "/price/per",
        ),
        (
            json!({"price": {"amount": "1", "currency": "EUR", "colour": 1}}),
            "/price/colour",
        ),
        (json!({"price": {"currency": "EUR"}}), "/price"),
        (json!({"barcodes": ["1", 2]}), "/barcodes/1"),
        (json!({"custom": []}), "/custom"),
        (json!({"group_id": "bricks"}), "/group_id"),
        (json!({"status": "retired"}), "/status"),
        (json!({"a/b~c": 1}), "/a~1b~0c"),
    ] {
        let mut body = good.clone();
        body.as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        let reply = dealer.post("/items", body).await;

        assert_problem(&reply, 422, "fields_invalid");
        let errors = reply.json["errors"].as_array().unwrap();
        assert_eq!(errors.len(), 1, "{fields}");
        assert_eq!(
            (&errors[0]["pointer"], &errors[0]["code"]),
            (&json!(pointer), &json!("shape")),
            "{fields}"
        );
    }
}

#[actix_web::test]
async fn all_broken_rules_are_told_at_once() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let body = json!({
        "sku": "", "name": "x".repeat(501), "base_unit": "pcs", "description": "\u{1}",
        "price": {"amount": "-1", "currency": "EURO", "per": "0"}, "barcodes": [""],
    });

    let reply = dealer.post("/items", body).await;

    assert_problem(&reply, 422, "fields_invalid");
    let errors = reply.json["errors"].as_array().unwrap();
    let pointers: Vec<&str> = errors
        .iter()
        .map(|error| error["pointer"].as_str().unwrap())
        .collect();
    let expected = [
        "/barcodes",
        "/description",
        "/name",
        "/price/amount",
        "/price/currency",
        "/price/per",
        "/sku",
    ];
    assert_eq!(pointers, expected);
    for error in errors {
        assert!(
            error["message"]
                .as_str()
                .is_some_and(|text| !text.is_empty()),
            "{error}"
        );
    }
}

/// A value in an answer ends in a log or on a screen; it may be a password.
#[actix_web::test]
async fn a_value_that_breaks_a_rule_is_not_repeated() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let secret = "hunter2".repeat(60);

    for body in [
        json!({"email": secret, "password": secret}),
        json!({"email": [secret], "password": secret}),
        json!({"email": "a@b.example", "password": {"is": secret}}),
        json!({"email": "a@b.example", "password": secret, "more": secret}),
    ] {
        let reply = dealer.post("/auth/sign-in", body.clone()).await;

        assert!(!reply.text().contains("hunter2"), "{}", reply.text());
    }
}
