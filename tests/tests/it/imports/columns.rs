//! What the columns of a file become: units, groups, barcodes, descriptions, states.

use serde_json::json;
use tests::TestApp;

use super::{counts, findings, item, load, sizes};

#[actix_web::test]
async fn a_quantity_in_the_unit_makes_a_price_per_quantity() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    let file = "sku;name;unit;price\n\
        A;a;100 Stück;12,50\n\
        B;b;1000 m2;9,00\n\
        C;c;je 50 m;3,10\n\
        D;d;CENTO;7,00\n\
        E;e;Tonne;99,00\n";

    let report = load(&dealer, file).await;

    assert_eq!(counts(&report), [5, 0, 0, 0, 0], "{report}");
    for (sku, unit, per) in [
        ("A", "pcs", "100"),
        ("B", "m2", "1000"),
        ("C", "m", "50"),
        ("D", "pcs", "100"),
        ("E", "t", "1"),
    ] {
        let item = item(&dealer, sku).await;

        assert_eq!(
            (&item["base_unit"], &item["price"]["unit"]),
            (&json!(unit), &json!(unit)),
            "{sku}"
        );
        assert_eq!(item["price"]["per"], per, "{sku}");
    }
    assert_eq!(report["units_created"], json!([]));
}

#[actix_web::test]
async fn a_unit_that_nobody_knows_is_created_once_and_reported() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    let file = "sku;name;unit;price\nA;a;Gebinde XL;1,50\nB;b;gebinde xl;2,50\nC;c;煉瓦;3,50\n";

    let report = load(&dealer, file).await;
    let again = load(&dealer, file).await;

    assert_eq!(
        report["units_created"],
        json!(["gebinde_xl", "unit_7149_74e6"])
    );
    assert_eq!(again["units_created"], json!([]));
    assert_eq!(
        dealer.get("/units/gebinde_xl").await.json["name"],
        "Gebinde XL"
    );
    assert_eq!(item(&dealer, "C").await["base_unit"], "unit_7149_74e6");
}

#[actix_web::test]
async fn levels_of_groups_become_a_path_and_are_created_once() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    let file = "sku;name;unit;price;Hauptgruppe;Untergruppe\n\
        A;a;m;1,50;Holz;Latten\n\
        B;b;m;2,50;Holz;Balken\n\
        C;c;m;3,50;Holz;\n\
        D;d;m;4,50;;\n\
        E;e;m;5,50;Stein;Latten\n";

    let report = load(&dealer, file).await;
    let before = sizes(&app, &dealer).await;
    let again = load(&dealer, file).await;

    assert_eq!(
        (&report["groups_created"], &again["groups_created"]),
        (&json!(5), &json!(0)),
        "{report}"
    );
    assert_eq!(counts(&again), [0, 0, 5, 0, 0]);
    assert_eq!(sizes(&app, &dealer).await, before);
    for (sku, path) in [
        ("A", json!(["Holz", "Latten"])),
        ("C", json!(["Holz"])),
        ("E", json!(["Stein", "Latten"])),
    ] {
        let group = item(&dealer, sku).await["group_id"]
            .as_str()
            .unwrap()
            .to_owned();
        let group = dealer.get(&format!("/item-groups/{group}")).await.json;

        assert_eq!(group["path"], path, "{sku}");
    }
    assert!(item(&dealer, "D").await["group_id"].is_null());
}

#[actix_web::test]
async fn a_group_name_beyond_its_bounds_is_rejected() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    let (long, longest) = ("x".repeat(201), "ü".repeat(200));
    // What a cell holds when a quotation mark went astray: no index takes a name like this.
    let astray: String = (0..9_000_u32)
        .map(|n| char::from(b'a' + (n * n % 89 % 26) as u8))
        .collect();
    let file = format!(
        "sku;name;unit;price;group\nA;a;m;1,50;{longest}\nB;b;m;2,50;{long}\nC;c;m;3,50;{astray}\n"
    );

    let report = load(&dealer, file).await;

    assert_eq!(counts(&report), [1, 0, 0, 2, 0], "{report}");
    let rejected = findings(&report, "rejected_rows");
    assert_eq!(
        (
            rejected[0].0,
            rejected[0].1.as_str(),
            rejected[0].3.as_str()
        ),
        (3, "group", "group_too_long")
    );
    assert_eq!(rejected[1].3, "group_too_long");
}

#[actix_web::test]
async fn a_description_is_kept_to_the_length_that_people_may_write() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    let long = "wörter ".repeat(3_000);
    let file = format!(
        "sku;name;description;unit;price\nA;a;{long};m;1,50\nB;b;\"zwei\nZeilen\";m;2,50\n"
    );

    let report = load(&dealer, file.clone()).await;
    let again = load(&dealer, file).await;

    let kept = item(&dealer, "A").await["description"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(kept.chars().count(), 10_000);
    assert!(long.starts_with(&kept));
    let warned = findings(&report, "warnings");
    assert_eq!(
        (warned[0].0, warned[0].1.as_str(), warned[0].3.as_str()),
        (2, "description", "description_cut")
    );
    assert_eq!(warned.len(), 1);
    assert_eq!(item(&dealer, "B").await["description"], "zwei\nZeilen");
    assert_eq!(counts(&again), [0, 0, 2, 0, 0]);
}

#[actix_web::test]
async fn a_mark_of_the_end_makes_an_item_obsolete() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    let file = "sku;name;unit;price;status\n\
        A;(discontinued) Pipe;m;1,50;\n\
        B;!AUSLAUFARTIKEL! Rohr;m;1,60;\n\
        C;Tubo;m;1,70;obsolete\n\
        D;Rohr, gestrichen;m;1,80;active\n";

    load(&dealer, file).await;
    let back = file.replace("(discontinued) ", "").replace("obsolete", "");
    let report = load(&dealer, back).await;

    for (sku, name, status) in [
        ("A", "Pipe", "active"),
        ("B", "Rohr", "obsolete"),
        ("C", "Tubo", "active"),
        ("D", "Rohr, gestrichen", "active"),
    ] {
        let item = item(&dealer, sku).await;

        assert_eq!(
            (&item["name"], &item["status"]),
            (&json!(name), &json!(status)),
            "{sku}"
        );
    }
    assert_eq!(counts(&report), [0, 2, 2, 0, 0]);
}

#[actix_web::test]
async fn barcodes_are_added_and_a_taken_one_is_warned_of() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    dealer
        .item("OLD", json!({"barcodes": ["4006381333931"]}))
        .await;
    dealer.item("A", json!({"barcodes": ["by-hand"]})).await;
    let file = "sku;name;unit;price;EAN\n\
        A;a;m;1,50;96385074\n\
        B;b;m;2,50;4006381333931\n\
        C;c;m;3,50;036000291452, 10012345678902\n\
        D;d;m;4,50;036000291452\n";

    let report = load(&dealer, file).await;

    assert_eq!(counts(&report), [3, 1, 0, 0, 0], "{report}");
    assert_eq!(
        findings(&report, "warnings"),
        [
            (
                3,
                String::new(),
                "4006381333931".to_owned(),
                "barcode_taken".to_owned()
            ),
            (
                5,
                String::new(),
                "036000291452".to_owned(),
                "barcode_taken".to_owned()
            ),
        ]
    );
    assert!(
        report["warnings"][0]["hint"]
            .as_str()
            .unwrap()
            .contains("OLD")
    );
    for (sku, barcodes) in [
        ("OLD", json!(["4006381333931"])),
        ("A", json!(["by-hand", "96385074"])),
        ("B", json!([])),
        ("C", json!(["036000291452", "10012345678902"])),
        ("D", json!([])),
    ] {
        assert_eq!(item(&dealer, sku).await["barcodes"], barcodes, "{sku}");
    }
}

#[actix_web::test]
async fn a_barcode_alone_changes_its_item_and_only_once() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    load(
        &dealer,
        "sku;name;unit;price;EAN\nA;a;m;1,50;\nB;b;m;2,50;\n",
    )
    .await;
    let file = "sku;name;unit;price;EAN\nA;a;m;1,50;96385074\nB;b;m;2,50;\n";

    app.advance(time::Duration::minutes(5));
    let first = load(&dealer, file).await;
    let second = load(&dealer, file).await;

    assert_eq!(
        (counts(&first), counts(&second)),
        ([0, 1, 1, 0, 0], [0, 0, 2, 0, 0])
    );
    let item = item(&dealer, "A").await;
    assert_eq!(
        (&item["version"], &item["barcodes"]),
        (&json!(2), &json!(["96385074"]))
    );
    assert_ne!(item["updated_at"], item["created_at"]);
}
