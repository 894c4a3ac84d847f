//! A mapping that the sender gives.

use serde_json::{Value, json};
use tests::TestApp;

use super::{counts, item, send, sizes};

const FILE: &str = "c1;c2;c3;c4;c5;c6\nA;Brick;red;pcs;1,50;7,77\nB;Block;grey;pcs;2,50;8,88\n";

#[actix_web::test]
async fn a_mapping_says_what_no_header_tells() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    let mapping = json!({
        "sku": "c1", "name": "C2 ", "group": [3], "unit": 4, "price": "c6", "currency": "GBP",
        "header_line": 1,
    });

    let reply = send(&dealer, &[("mapping", &mapping.to_string())], FILE)
        .await
        .expect(200);

    assert_eq!(counts(&reply.json), [2, 0, 0, 0, 0]);
    let item = item(&dealer, "A").await;
    let price = json!({"amount": "7.77", "currency": "GBP", "per": "1", "unit": "pcs"});
    assert_eq!((&item["name"], &item["price"]), (&json!("Brick"), &price));
    assert_eq!(reply.json["groups_created"], 2);
}

#[actix_web::test]
async fn the_mapping_of_the_report_reads_the_same_file_the_same_way() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    let mixed =
        "x;;\nArt-Nr;Text;ME;Preis;Gruppe;;EAN\nA;a;m;1,50;g;;96385074\nB;b;kg;2.345,00;;note;\n";
    for file in [
        "sku,name,unit,price\nA,a,pcs,1.50\n",
        "sku\tname\tunit\tprice\nA\ta\tpcs\t1.50\n",
        mixed,
    ] {
        let first = send(&dealer, &[], file).await.expect(200).json;
        let mapping = first["mapping"].to_string();

        let again = send(&dealer, &[("mapping", &mapping)], file)
            .await
            .expect(200)
            .json;

        assert_eq!(again["mapping"], first["mapping"], "{file}");
        let [created, updated, unchanged, ..] = counts(&first);
        assert_eq!(
            counts(&again)[..3],
            [0, 0, created + updated + unchanged],
            "{file}"
        );
    }
}

#[actix_web::test]
async fn a_column_that_is_not_there_is_named_with_those_that_are() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    let before = sizes(&app, &dealer).await;

    for (mapping, wrong) in [
        (
            json!({"sku": "c1", "name": "c2", "unit": "c4", "price": "c9"}),
            "c9",
        ),
        (
            json!({"sku": "c1", "name": "c2", "unit": "c4", "price": 7}),
            "number 7",
        ),
        (
            json!({"sku": "c1", "name": "c2", "unit": "c4", "price": 0}),
            "number 0",
        ),
        (
            json!({"sku": "c1", "name": "c2", "unit": "c4", "price": "c6", "group": ["c3", "gone"]}),
            "gone",
        ),
    ] {
        let reply = send(&dealer, &[("mapping", &mapping.to_string())], FILE).await;

        assert_eq!(
            (reply.status.as_u16(), reply.problem()),
            (422, "mapping_invalid"),
            "{mapping}"
        );
        let detail = reply.json["detail"].as_str().unwrap();
        for word in [wrong, "c1", "c2", "c3", "c4", "c5", "c6"] {
            assert!(detail.contains(word), "{mapping}: {detail}");
        }
        assert_eq!(reply.json["errors"][0]["code"], "column_not_found");
    }
    let currency =
        json!({"sku": "c1", "name": "c2", "unit": "c4", "price": "c6", "currency": "XXQ"});
    let reply = send(&dealer, &[("mapping", &currency.to_string())], FILE).await;
    assert_eq!(reply.problem(), "mapping_invalid");
    assert_eq!(sizes(&app, &dealer).await, before);
}

#[actix_web::test]
async fn a_mapping_that_can_not_be_read_is_refused() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;

    for mapping in [
        "{",
        "[]",
        "\"sku\"",
        r#"{"skuu": "c1"}"#,
        r#"{"sku": true}"#,
        r#"{"sku": -1}"#,
        r#"{"sku": "c1", "delimiter": "x"}"#,
        r#"{"encoding": "utf-32"}"#,
        r#"{"group": "c3"}"#,
        r#"{"header_line": "one"}"#,
    ] {
        let reply = send(&dealer, &[("mapping", mapping)], FILE).await;

        assert_eq!(
            (reply.status.as_u16(), reply.problem()),
            (400, "upload_invalid"),
            "{mapping}"
        );
        assert!(
            reply.json["detail"].as_str().unwrap().contains("mapping"),
            "{mapping}"
        );
    }
}

#[actix_web::test]
async fn no_mapping_and_an_empty_one_are_the_same() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    let file = "sku,name,unit,price\nA,a,pcs,1.50\n";

    for mapping in ["", " ", "null", "{}", r#"{"sku": null}"#] {
        let reply = send(&dealer, &[("mapping", mapping), ("apply", "false")], file).await;

        assert_eq!(
            counts(&reply.expect(200).json),
            [1, 0, 0, 0, 0],
            "{mapping:?}"
        );
    }
}

#[actix_web::test]
async fn words_of_the_dealers_own_mark_an_obsolete_item() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    let mapping = json!({"obsolete_markers": ["Restposten"]}).to_string();
    let file = "sku;name;unit;price\nA;Restposten Rohr;m;1,50\nB;Rohr;m;1,50\n";

    send(&dealer, &[("mapping", &mapping)], file)
        .await
        .expect(200);

    let (marked, plain) = (item(&dealer, "A").await, item(&dealer, "B").await);
    assert_eq!(
        (&marked["name"], &marked["status"]),
        (&json!("Rohr"), &json!("obsolete"))
    );
    assert_eq!(plain["status"], Value::from("active"));
}
