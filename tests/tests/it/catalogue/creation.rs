//! A new item: its fields, its defaults, and what is refused.

use serde_json::{Value, json};
use tests::TestApp;

use super::{group, path_of, pointers};

#[actix_web::test]
async fn an_item_with_every_field_is_read_back_as_it_was_sent() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let bricks = group(&dealer, "Bricks", None).await;

    let sent = json!({
        "sku": "BRK-NF", "name": "Facing brick", "description": "Frost-resistant\nfired twice",
        "group_id": bricks["id"], "base_unit": "pcs", "status": "obsolete",
        "price": {"amount": "72.910000", "currency": "eur", "per": "100.0", "unit": "m2"},
        "barcodes": ["4006381333931", "96385074"],
        "custom": {"colour": "red", "tests": [1, true, null], "nested": {"ü": 1.5}},
    });
    let created = dealer.post("/items", sent.clone()).await.expect(201);
    let read = dealer.get(&path_of(&created.json)).await.expect(200);

    for field in [
        "sku",
        "name",
        "description",
        "group_id",
        "base_unit",
        "status",
        "barcodes",
        "custom",
    ] {
        assert_eq!(created.json[field], sent[field], "{field}");
    }
    let price = json!({"amount": "72.91", "currency": "EUR", "per": "100", "unit": "m2"});
    assert_eq!(created.json["price"], price);
    assert_eq!(created.json["created_at"], created.json["updated_at"]);
    assert_eq!(
        created.header("location"),
        format!("/api/v1{}", path_of(&created.json))
    );
    assert_eq!(
        (created.header("etag"), read.header("etag")),
        ("\"1\"", "\"1\"")
    );
    assert_eq!(read.json, created.json);
}

#[actix_web::test]
async fn what_is_left_out_has_a_default() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;

    let bare = dealer.item(" A1 ", json!({"name": "  padded  "})).await;
    let priced = json!({"price": {"amount": "9", "currency": "EUR"}, "base_unit": "kg"});
    let priced = dealer.item("A2", priced).await;

    assert_eq!(
        (&bare["sku"], &bare["name"]),
        (&json!("A1"), &json!("padded"))
    );
    assert_eq!(
        (&bare["status"], &bare["version"]),
        (&json!("active"), &json!(1))
    );
    for absent in ["group_id", "price", "retired_at"] {
        assert_eq!(bare[absent], Value::Null, "{absent}");
    }
    assert_eq!(
        (&bare["description"], &bare["barcodes"], &bare["custom"]),
        (&json!(""), &json!([]), &json!({}))
    );
    assert_eq!(
        priced["price"],
        json!({"amount": "9", "currency": "EUR", "per": "1", "unit": "kg"})
    );
}

#[actix_web::test]
async fn a_price_is_exact_to_six_places_and_twelve_digits() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;

    for (sku, amount, per, exact) in [
        ("A", "0.000001", "1", "0.000001"),
        ("B", "999999999999.999999", "1", "999999999999.999999"),
        ("C", "0", "999999999999.999999", "0"),
        ("D", "-0", "0.000001", "0"),
        ("E", "12.3400000000", "1", "12.34"),
        ("F", "007.5", "1", "7.5"),
    ] {
        let price = json!({"amount": amount, "currency": "EUR", "per": per});
        let item = dealer.item(sku, json!({"price": price})).await;
        let read = dealer.get(&path_of(&item)).await.expect(200);

        assert_eq!(read.json["price"]["amount"], exact, "{amount}");
        assert_eq!(read.json["price"]["per"], per, "{amount}");
    }
}

#[actix_web::test]
async fn a_price_that_can_not_be_kept_exactly_is_refused() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;

    for (amount, per) in [
        ("0.0000001", "1"),
        ("1.00000000000000000000000000000000001", "1"),
        ("0.00000000000000000000000000000000000001", "1"),
        ("1000000000000", "1"),
        ("99999999999999999999999999999999999999", "1"),
        ("-0.01", "1"),
        ("1", "0"),
        ("1", "-1"),
        ("1", "0.0000001"),
        ("1", "1000000000000"),
        ("", "1"),
        (" 1", "1"),
        ("1,5", "1"),
        ("1_000", "1"),
        ("1e3", "1"),
        ("0x10", "1"),
        ("NaN", "1"),
        (".", "1"),
        ("١", "1"),
    ] {
        let price = json!({"amount": amount, "currency": "EUR", "per": per});
        let body = json!({"sku": "X", "name": "x", "base_unit": "pcs", "price": price});
        let reply = dealer.post("/items", body).await;

        assert_eq!(
            reply.status,
            422,
            "{amount:?} per {per:?}: {}",
            reply.text()
        );
        assert_eq!(reply.problem(), "fields_invalid");
    }
    assert_eq!(
        dealer.get("/items").await.expect(200).json["data"],
        json!([])
    );
}

#[actix_web::test]
async fn a_price_as_a_json_number_is_refused_because_it_may_be_rounded_already() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;

    for price in [
        json!({"amount": 1.5, "currency": "EUR"}),
        json!({"amount": 15, "currency": "EUR"}),
        json!({"amount": "1", "currency": "EUR", "per": 100}),
        json!({"amount": null, "currency": "EUR"}),
        json!({"currency": "EUR"}),
        json!({"amount": "1"}),
        json!({"amount": "1", "currency": "EUR", "quantity": "1"}),
        json!("1 EUR"),
    ] {
        let body = json!({"sku": "X", "name": "x", "base_unit": "pcs", "price": price});
        let reply = dealer.post("/items", body).await.expect(422);

        assert_eq!(reply.problem(), "fields_invalid", "{price}");
    }
}

#[actix_web::test]
async fn a_currency_is_three_letters() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;

    for currency in ["", "EU", "EURO", "€", "E R", "12A"] {
        let price = json!({"amount": "1", "currency": currency});
        let body = json!({"sku": "X", "name": "x", "base_unit": "pcs", "price": price});
        let reply = dealer.post("/items", body).await.expect(422);

        assert_eq!(pointers(&reply), ["/price/currency"], "{currency}");
        assert_eq!(reply.json["errors"][0]["code"], "currency");
    }
}

#[actix_web::test]
async fn an_unknown_unit_or_group_is_pointed_at() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let nobody = "01890000-0000-7000-8000-000000000000";
    let price = |unit: &str| json!({"amount": "1", "currency": "EUR", "unit": unit});

    for (fields, pointer) in [
        (json!({"base_unit": "furlong"}), "/base_unit"),
        (json!({"base_unit": "PCS"}), "/base_unit"),
        (json!({"base_unit": ""}), "/base_unit"),
        (json!({"price": price("furlong")}), "/price/unit"),
        (json!({"group_id": nobody}), "/group_id"),
    ] {
        let mut body = json!({"sku": "X", "name": "x", "base_unit": "pcs"});
        body.as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        let reply = dealer.post("/items", body).await.expect(422);

        assert_eq!(pointers(&reply), [pointer], "{fields}");
        assert_eq!(reply.problem(), "fields_invalid");
    }
}

#[actix_web::test]
async fn a_neighbours_group_can_not_be_used() {
    let app = TestApp::start().await;
    let (ours, theirs) = (app.dealer().await, app.dealer().await);
    let foreign = group(&theirs, "Bricks", None).await;

    let body = json!({"sku": "X", "name": "x", "base_unit": "pcs", "group_id": foreign["id"]});
    let reply = ours.post("/items", body).await.expect(422);

    assert_eq!(pointers(&reply), ["/group_id"]);
}

#[actix_web::test]
async fn a_taken_sku_is_refused_even_when_its_item_is_retired() {
    let app = TestApp::start().await;
    let (dealer, neighbour) = (app.dealer().await, app.dealer().await);
    let first = dealer.item("A-1", json!({})).await;
    let body = json!({"sku": " A-1 ", "name": "again", "base_unit": "pcs"});

    let twice = dealer.post("/items", body.clone()).await.expect(409);
    dealer.delete(&path_of(&first)).await.expect(204);
    let retired = dealer.post("/items", body.clone()).await.expect(409);
    let elsewhere = neighbour.post("/items", body).await;
    let other_case = dealer
        .post(
            "/items",
            json!({"sku": "a-1", "name": "x", "base_unit": "pcs"}),
        )
        .await;

    assert_eq!(
        (twice.problem(), retired.problem()),
        ("sku_taken", "sku_taken")
    );
    assert!(
        retired.json["detail"]
            .as_str()
            .unwrap()
            .contains("restored")
    );
    assert_eq!(
        (elsewhere.status.as_u16(), other_case.status.as_u16()),
        (201, 201)
    );
}

#[actix_web::test]
async fn of_two_items_created_at_once_with_one_sku_one_is_there() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let body = |name: &str| json!({"sku": "A", "name": name, "base_unit": "pcs"});

    let (one, two) = tokio::join!(
        dealer.post("/items", body("one")),
        dealer.post("/items", body("two"))
    );

    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
    assert_eq!(
        dealer.get("/items").await.expect(200).json["data"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[actix_web::test]
async fn barcodes_keep_their_order_and_belong_to_one_item() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let order = json!(["Z-9", "4006381333931", "A-1", "96385074"]);

    let first = dealer.item("A", json!({"barcodes": order})).await;
    let taken = json!({"sku": "B", "name": "b", "base_unit": "pcs", "barcodes": ["new", "A-1"]});
    let reply = dealer.post("/items", taken).await.expect(409);
    let free_still = dealer.item("C", json!({"barcodes": ["new"]})).await;

    assert_eq!(first["barcodes"], order);
    assert_eq!(reply.problem(), "barcode_taken");
    assert_eq!(free_still["barcodes"], json!(["new"]));
    let gone = dealer.get("/items?sku=B").await;
    assert_eq!(
        gone.json["data"],
        json!([]),
        "the refused item was not kept"
    );
}

#[actix_web::test]
async fn barcodes_that_repeat_or_break_their_bounds_are_refused() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let many: Vec<String> = (0..101).map(|number| format!("B{number}")).collect();

    for barcodes in [
        json!(["1", "1"]),
        json!(["1", " 1 "]),
        json!([""]),
        json!(["  "]),
        json!(["x".repeat(65)]),
        json!(["a\u{0}b"]),
        json!(many),
    ] {
        let body = json!({"sku": "X", "name": "x", "base_unit": "pcs", "barcodes": barcodes});
        let reply = dealer.post("/items", body).await.expect(422);

        assert_eq!(pointers(&reply), ["/barcodes"], "{barcodes}");
    }
}

#[actix_web::test]
async fn unknown_fields_and_wrong_types_are_refused() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let good = json!({"sku": "X", "name": "x", "base_unit": "pcs"});

    for fields in [
        json!({"colour": "red"}),
        json!({"id": "01890000-0000-7000-8000-000000000000"}),
        json!({"version": 7}),
        json!({"sku": 5}),
        json!({"status": "retired"}),
        json!({"status": "Active"}),
        json!({"custom": []}),
        json!({"custom": null}),
        json!({"group_id": "bricks"}),
        json!({"barcodes": "1"}),
    ] {
        let mut body = good.clone();
        body.as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        let reply = dealer.post("/items", body).await.expect(422);

        assert_eq!(reply.problem(), "fields_invalid", "{fields}");
    }
    for missing in ["sku", "name", "base_unit"] {
        let mut body = good.clone();
        body.as_object_mut().unwrap().remove(missing);

        dealer.post("/items", body).await.expect(422);
    }
}
