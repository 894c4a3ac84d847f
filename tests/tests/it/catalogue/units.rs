//! Units of measure.

use serde_json::{Value, json};
use tests::TestApp;

use super::{path_of, pointers, query};

#[actix_web::test]
async fn a_unit_is_created_read_and_listed() {
    let app = TestApp::start().await;
    let (dealer, neighbour) = (app.dealer().await, app.dealer().await);
    let unit =
        json!({"code": "bundle_10", "name": " Bundle of ten ", "symbol": "bdl", "decimals": 2});

    let created = dealer.post("/units", unit).await.expect(201);
    let read = dealer.get("/units/bundle_10").await.expect(200);
    let again = json!({"code": "bundle_10", "name": "x", "symbol": "x", "decimals": 0});
    let again = dealer.post("/units", again).await.expect(409);

    assert_eq!(created.header("location"), "/api/v1/units/bundle_10");
    assert_eq!(
        (created.header("etag"), read.header("etag")),
        ("\"1\"", "\"1\"")
    );
    assert_eq!(
        (&read.json, &read.json["name"]),
        (&created.json, &json!("Bundle of ten"))
    );
    assert_eq!(
        (&read.json["un_ece"], &read.json["decimals"]),
        (&Value::Null, &json!(2))
    );
    assert_eq!(again.problem(), "unit_code_taken");
    assert_eq!(
        neighbour.get("/units/bundle_10").await.problem(),
        "unit_not_found"
    );
}

#[actix_web::test]
async fn the_standard_units_are_there_from_the_start_and_can_be_paged() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let all = super::column(&dealer.get("/units?limit=200").await.expect(200), "code");

    let (mut found, mut next) = (Vec::new(), None::<String>);
    loop {
        let mut pairs = vec![("limit", "4")];
        pairs.extend(next.as_deref().map(|cursor| ("cursor", cursor)));
        let page = dealer.get(&query("/units", &pairs)).await.expect(200);
        found.extend(super::column(&page, "code"));
        next = page.json["next"].as_str().map(str::to_owned);
        if next.is_none() {
            break;
        }
    }

    assert_eq!(found, all);
    for code in [
        "pcs",
        "m",
        "m2",
        "m3",
        "kg",
        "t",
        "l",
        "h",
        "pallet",
        "machine_h",
    ] {
        assert!(all.iter().any(|known| known == code), "{code}");
    }
}

#[actix_web::test]
async fn a_code_is_a_plain_word() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let unit = |code: &str| json!({"code": code, "name": "x", "symbol": "x", "decimals": 0});

    let long = "x".repeat(33);
    for bad in [
        "", "M2", "m²", "_m", "a b", "a-b", "a/b", "ä", " m", "m\n", &long,
    ] {
        let reply = dealer.post("/units", unit(bad)).await.expect(422);

        assert_eq!(pointers(&reply), ["/code"], "{bad:?}");
    }
    for good in ["x", "2x", "x_", &long[..32]] {
        dealer.post("/units", unit(good)).await.expect(201);
    }
}

#[actix_web::test]
async fn the_other_fields_have_their_bounds() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;

    for (field, value) in [
        ("name", json!("")),
        ("name", json!("x".repeat(101))),
        ("symbol", json!(" ")),
        ("symbol", json!("x".repeat(21))),
        ("un_ece", json!("")),
        ("un_ece", json!("ABCD")),
        ("decimals", json!(-1)),
        ("decimals", json!(7)),
    ] {
        let mut body = json!({"code": "new", "name": "x", "symbol": "x", "decimals": 0});
        body[field] = value.clone();
        let created = dealer.post("/units", body).await.expect(422);
        let changed = dealer
            .patch("/units/pcs", 1, json!({field: value}))
            .await
            .expect(422);

        let pointer = format!("/{field}");
        assert_eq!(pointers(&created)[0], pointer, "{value}");
        assert_eq!(pointers(&changed)[0], pointer, "{value}");
    }
    for decimals in [json!("0"), json!(1.5), json!(99_999_999)] {
        let body = json!({"code": "new", "name": "x", "symbol": "x", "decimals": decimals});
        dealer.post("/units", body).await.expect(422);
    }
}

#[actix_web::test]
async fn everything_but_the_code_can_change() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let mut expected = dealer.get("/units/pcs").await.expect(200).json;

    for (version, (field, value)) in (1..).zip([
        ("name", json!("Stück")),
        ("symbol", json!("Stk")),
        ("decimals", json!(6)),
        ("un_ece", json!("H87")),
        ("un_ece", Value::Null),
    ]) {
        let reply = dealer
            .patch("/units/pcs", version, json!({field: value}))
            .await
            .expect(200);

        expected[field] = value;
        expected["version"] = json!(version + 1);
        expected["updated_at"] = reply.json["updated_at"].clone();
        assert_eq!(reply.json, expected, "{field}");
    }
    dealer
        .patch("/units/pcs", 6, json!({"code": "piece"}))
        .await
        .expect(422);
    for field in ["name", "symbol", "decimals"] {
        dealer
            .patch("/units/pcs", 6, json!({field: null}))
            .await
            .expect(422);
    }
}

#[actix_web::test]
async fn a_unit_in_use_stays() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let price = json!({"amount": "1", "currency": "EUR", "unit": "pallet"});
    let item = path_of(
        &dealer
            .item("A", json!({"base_unit": "bag", "price": price}))
            .await,
    );

    for used in ["/units/bag", "/units/pallet"] {
        assert_eq!(
            dealer.delete(used).await.expect(409).problem(),
            "unit_in_use"
        );
    }
    dealer.delete(&item).await.expect(204);
    assert_eq!(
        dealer.delete("/units/bag").await.problem(),
        "unit_in_use",
        "a retired item may return"
    );
    dealer
        .patch(&item, 2, json!({"base_unit": "pcs", "price": null}))
        .await
        .expect(200);

    dealer.delete("/units/bag").await.expect(204);
    dealer.delete("/units/pallet").await.expect(204);

    assert_eq!(dealer.get("/units/bag").await.problem(), "unit_not_found");
    assert_eq!(
        dealer.delete("/units/bag").await.problem(),
        "unit_not_found"
    );
}

#[actix_web::test]
async fn codes_that_need_escaping_find_nothing() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;

    for code in ["%27", "..%2f..%2fme", "%25", "m%C2%B2", "%F0%9F%A7%B1"] {
        let reply = dealer.get(&format!("/units/{code}")).await;

        assert_eq!(
            (reply.status.as_u16(), reply.problem()),
            (404, "unit_not_found"),
            "{code}"
        );
    }
}
