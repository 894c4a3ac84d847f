//! Texts of every kind, as people and machines send them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use tests::TestApp;

use super::{path_of, pointers, skus};

#[actix_web::test]
async fn what_people_write_is_kept_to_the_letter() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let long = "ü".repeat(10_000);

    for (sku, name, description) in [
        (
            "🧱-1",
            "Ziegel 🧱 \u{1f468}\u{200d}\u{1f477}",
            "eins\r\n\tzwei",
        ),
        ("日本", "煉瓦", "\u{202e}from right to left"),
        ("e\u{301}", "combining", "e\u{301} and é"),
        ("é", "not the same SKU", ""),
        ("'; DROP TABLE item; --", "Robert'); --", "$1 %s {} \\ \" `"),
        ("<script>", "<img src=x onerror=alert(1)>", "&amp;"),
        ("\u{200b}", "zero width", "\u{feff}mark"),
        (&"x".repeat(64), &"ü".repeat(500), &long),
    ] {
        let item = dealer
            .item(sku, json!({"name": name, "description": description}))
            .await;
        let read = dealer.get(&path_of(&item)).await.expect(200);

        assert_eq!(read.json["sku"], sku);
        assert_eq!(read.json["name"], name);
        assert_eq!(read.json["description"], description);
        assert_eq!(skus(&dealer, &[("sku", sku)]).await, [sku]);
    }
}

#[actix_web::test]
async fn texts_beyond_their_bounds_are_refused_with_their_field() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let group = super::group(&dealer, "Bricks", None).await;
    let group = format!("/item-groups/{}", group["id"].as_str().unwrap());

    for (field, text) in [
        ("sku", String::new()),
        ("sku", " \u{a0}".to_owned()),
        ("sku", "x".repeat(65)),
        ("sku", "a\nb".to_owned()),
        ("name", "\t".to_owned()),
        ("name", "ü".repeat(501)),
        ("name", "bell\u{7}".to_owned()),
        ("name", "next line\u{85}".to_owned()),
        ("description", "🧱".repeat(10_001)),
        ("description", "escape \u{1b}[31m".to_owned()),
        ("base_unit", "x".repeat(33)),
    ] {
        let mut body = json!({"sku": "X", "name": "x", "base_unit": "pcs"});
        body[field] = json!(text);
        let reply = dealer.post("/items", body).await.expect(422);

        assert_eq!(pointers(&reply)[0], format!("/{field}"), "{text:?}");
    }
    for name in ["", "  ", "a\u{0}", &"x".repeat(201)] {
        let reply = dealer
            .patch(&group, 1, json!({"name": name}))
            .await
            .expect(422);

        assert_eq!(pointers(&reply)[0], "/name", "{name:?}");
    }
}

/// Postgres keeps no NUL, in no text and in no JSON: it has to be refused before.
#[actix_web::test]
async fn a_nul_character_is_the_senders_fault_wherever_it_stands() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let item = path_of(&dealer.item("A", json!({})).await);
    let nul = "a\u{0}b";
    let price = json!({"amount": "1", "currency": "EUR", "unit": nul});

    for fields in [
        json!({"sku": nul}),
        json!({"name": nul}),
        json!({"description": nul}),
        json!({"base_unit": nul}),
        json!({"price": price}),
        json!({"barcodes": [nul]}),
        json!({"custom": {"note": nul}}),
        json!({"custom": {"deep": [{"er": [nul]}]}}),
        json!({"custom": {nul: 1}}),
    ] {
        let mut body = json!({"sku": "X", "name": "x", "base_unit": "pcs"});
        body.as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());

        let created = dealer.post("/items", body).await;
        let changed = dealer.patch(&item, 1, fields.clone()).await;

        assert_eq!(
            (created.status.as_u16(), changed.status.as_u16()),
            (422, 422),
            "{fields}"
        );
    }
    for (path, body) in [
        ("/item-groups", json!({"name": nul})),
        (
            "/units",
            json!({"code": "x", "name": nul, "symbol": "x", "decimals": 0}),
        ),
        (
            "/units",
            json!({"code": "x", "name": "x", "symbol": "x", "decimals": 0, "un_ece": "\u{0}"}),
        ),
    ] {
        dealer.post(path, body).await.expect(422);
    }
    dealer
        .patch("/units/pcs", 1, json!({"un_ece": "\u{0}"}))
        .await
        .expect(422);
}

#[actix_web::test]
async fn a_nul_character_in_an_address_finds_nothing() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    dealer.item("A", json!({})).await;

    for field in ["q", "sku", "barcode"] {
        let found = skus(&dealer, &[(field, "A\u{0}")]).await;

        assert!(found.is_empty(), "{field}: {found:?}");
    }
    assert_eq!(dealer.get("/units/%00").await.problem(), "unit_not_found");
    assert_eq!(
        dealer.delete("/units/%00").await.problem(),
        "unit_not_found"
    );
}

#[actix_web::test]
async fn a_cursor_made_by_hand_is_refused() {
    use base64_of as cursor;
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    dealer.item("A", json!({})).await;

    for (list, made_up) in [
        ("/items", cursor(r#"{"sku":"\u0000"}"#)),
        ("/items", cursor(r#"{"sku":1}"#)),
        ("/items", cursor(r#"["a","b"]"#)),
        ("/items?q=a", cursor(r#"{"rank":[99999999999,"a"]}"#)),
        (
            "/items?q=a",
            cursor(r#"{"rank":[2147483647,"' OR 1=1; --"]}"#),
        ),
        ("/items", "!".to_owned()),
        ("/items", String::new()),
        ("/units", cursor(r#""\u0000""#)),
        ("/units", cursor("1")),
        ("/item-groups", cursor(r#"["\u0000"]"#)),
        ("/item-groups", cursor(r#""x""#)),
    ] {
        let joint = if list.contains('?') { "&" } else { "?" };
        let reply = dealer.get(&format!("{list}{joint}cursor={made_up}")).await;

        assert_eq!(
            (reply.status.as_u16(), reply.problem()),
            (400, "cursor_invalid"),
            "{list} {made_up}"
        );
    }
}

/// What the server makes of a sort key.
fn base64_of(json: &str) -> String {
    URL_SAFE_NO_PAD.encode(json)
}
