//! Rows that are not taken, and what is said about them.

use std::collections::BTreeSet;

use serde_json::json;
use tests::TestApp;

use super::{counts, findings, item, load};

#[actix_web::test]
async fn every_rejected_row_is_told_with_line_column_value_code_and_hint() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    let (long_sku, long_name, long_group) = ("x".repeat(65), "ü".repeat(501), "g".repeat(201));
    let faults = [
        (";A;m;1,5;1;EUR;;", "SKU", "", "sku_missing"),
        (
            &format!("{long_sku};A;m;1,5;1;EUR;;"),
            "SKU",
            &*long_sku,
            "sku_too_long",
        ),
        ("a;;m;1,5;1;EUR;;", "Name", "", "name_missing"),
        (
            &format!("a;{long_name};m;1,5;1;EUR;;"),
            "Name",
            "",
            "name_too_long",
        ),
        ("a;A; ;1,5;1;EUR;;", "Unit", "", "unit_missing"),
        ("a;A;m;;1;EUR;;", "Price", "", "price_missing"),
        (
            "a;A;m;auf Anfrage;1;EUR;;",
            "Price",
            "auf Anfrage",
            "price_missing",
        ),
        ("a;A;m;1.2.3;1;EUR;;", "Price", "1.2.3", "price_invalid"),
        ("a;A;m;1.5;1;EUR;;", "Price", "1.5", "price_invalid"),
        ("a;A;m;-1,5;1;EUR;;", "Price", "-1,5", "price_negative"),
        (
            "a;A;m;1000000000000;1;EUR;;",
            "Price",
            "1000000000000",
            "price_too_large",
        ),
        (
            "a;A;m;1,1234567;1;EUR;;",
            "Price",
            "1,1234567",
            "price_too_precise",
        ),
        ("a;A;m;1,5;1;XXQ;;", "Currency", "XXQ", "currency_invalid"),
        ("a;A;m;1,5;0;EUR;;", "Per", "0", "per_invalid"),
        (
            "a;A;m;1,5;1;EUR;4006381333932;",
            "EAN",
            "4006381333932",
            "barcode_invalid",
        ),
        ("good;A;m;1,5;1;EUR;;", "SKU", "good", "duplicate_sku"),
        (
            "a;A\u{7}B;m;1,5;1;EUR;;",
            "Name",
            "A\u{7}B",
            "control_character",
        ),
        (
            &format!("a;A;m;1,5;1;EUR;;{long_group}"),
            "Group",
            "",
            "group_too_long",
        ),
        ("a;A;m;1,5", "", "", "wrong_field_count"),
        ("a;A;m;1,5;1;EUR;;;;extra", "", "", "wrong_field_count"),
    ];
    let rows: Vec<&str> = faults.iter().map(|fault| fault.0).collect();
    let file = format!(
        "SKU;Name;Unit;Price;Per;Currency;EAN;Group\ngood;Good;m;1,50;1;EUR;;\n{}\nlast;Last;m;2,50;1;EUR;;\n",
        rows.join("\n")
    );

    let report = load(&dealer, file).await;

    assert_eq!(
        counts(&report),
        [2, 0, 0, faults.len() as u64, 0],
        "{report}"
    );
    let told = findings(&report, "rejected_rows");
    assert_eq!(told.len(), faults.len());
    for ((index, told), (row, column, value, code)) in told.iter().enumerate().zip(faults) {
        assert_eq!((told.0, told.3.as_str()), (index as u64 + 3, code), "{row}");
        assert_eq!(told.1, column, "{row}");
        if !value.is_empty() {
            assert_eq!(told.2, value, "{row}");
        }
        assert!(told.2.chars().count() <= 200, "{row}");
    }
    // Every code of the reader but one: over HTTP a dealer's currency is always known.
    let codes: BTreeSet<&str> = faults.iter().map(|fault| fault.3).collect();
    let known = server::tenant::imports::pricefile::RejectionCode::ALL.map(|code| code.as_str());
    let missing: Vec<&str> = known
        .into_iter()
        .filter(|code| !codes.contains(code))
        .collect();
    assert_eq!(missing, ["currency_missing"]);
}

#[actix_web::test]
async fn lines_are_counted_as_an_editor_counts_them() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    let file =
        "sku;name;unit;price\r\n\r\nA;\"a\r\nb\r\nc\";m;1,5\r\nB;b;m;x\r\n\"\r\nC\";c;m;y\r\n";

    let report = load(&dealer, file).await;

    let lines: Vec<u64> = findings(&report, "rejected_rows")
        .iter()
        .map(|finding| finding.0)
        .collect();
    assert_eq!(lines, [6, 7], "{report}");
}

#[actix_web::test]
async fn of_rows_with_one_sku_the_first_is_kept_and_the_others_are_rejected() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    let file =
        "sku;name;unit;price\nA;broken;m;\nA;one;m;1,5\nB;b;m;2,5\n A ;two;m;3,5\nA;three;m;4,5\n";

    let report = load(&dealer, file).await;

    assert_eq!(counts(&report), [2, 0, 0, 3, 0]);
    assert_eq!(report["rows"], 5);
    let told = findings(&report, "rejected_rows");
    let told: Vec<(u64, &str)> = told
        .iter()
        .map(|finding| (finding.0, finding.3.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (2, "price_missing"),
            (5, "duplicate_sku"),
            (6, "duplicate_sku")
        ]
    );
    assert_eq!(item(&dealer, "A").await["name"], "one");
    assert!(
        report["rejected_rows"][1]["hint"]
            .as_str()
            .unwrap()
            .contains("line 3")
    );
}

#[actix_web::test]
async fn the_last_one_wins_when_that_is_asked_for_and_the_others_are_reported() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    let file = "sku;name;unit;price\nA;one;m;1,5\nB;b;m;2,5\nA;two;m;3,5\nA;broken;m;\n";

    let in_query = dealer
        .import("duplicates=last_wins", file)
        .await
        .expect(200)
        .json;
    let in_form = super::send(&dealer, &[("duplicates", "last_wins")], file)
        .await
        .expect(200)
        .json;

    assert_eq!(counts(&in_query), [2, 0, 0, 1, 1]);
    assert_eq!(counts(&in_form), [0, 0, 2, 1, 1]);
    let superseded = findings(&in_query, "superseded_rows");
    assert_eq!(
        superseded,
        [(
            2,
            "sku".to_owned(),
            "A".to_owned(),
            "duplicate_sku".to_owned()
        )]
    );
    assert!(
        in_query["superseded_rows"][0]["hint"]
            .as_str()
            .unwrap()
            .contains("line 4")
    );
    assert_eq!(item(&dealer, "A").await["name"], "two");
}

/// Rows are written a thousand at a time; rows of one SKU may lie in different thousands.
#[actix_web::test]
async fn what_lies_thousands_of_rows_apart_is_still_one_file() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    let mut file = String::from("sku;name;unit;price;group;EAN\nA;first;m;1,5;g;96385074\n");
    for n in 0..2_500 {
        file.push_str(&format!("R{n};row;m;1,5;g;\n"));
    }
    file.push_str("A;last;m;9,5;g;\nZ;same barcode;m;1,5;g;96385074\nY;unit;Gebinde;1,5;h;\n");

    let report = dealer
        .import("duplicates=last_wins", file)
        .await
        .expect(200)
        .json;

    assert_eq!(counts(&report), [2_503, 0, 0, 0, 1]);
    assert_eq!(
        (&report["groups_created"], &report["units_created"]),
        (&json!(2), &json!(["gebinde"]))
    );
    assert_eq!(item(&dealer, "A").await["name"], "last");
    assert_eq!(
        item(&dealer, "Z").await["barcodes"],
        json!(["96385074"]),
        "the row that had it gave way"
    );
}

#[actix_web::test]
async fn a_list_with_most_prices_on_request_has_bad_rows_and_not_a_missing_column() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    let rows: String = (0..40).map(|n| format!("B{n};b;m;auf Anfrage\n")).collect();

    let report = load(
        &dealer,
        format!("Art.-Nr.;Bezeichnung;ME;Preis\nA;a;m;1,50\n{rows}Z;z;m;2,50\n"),
    )
    .await;

    assert_eq!(counts(&report), [2, 0, 0, 40, 0]);
    assert_eq!(report["rejected_rows"][0]["code"], "price_missing");
}

#[actix_web::test]
async fn a_list_with_most_skus_twice_has_duplicates_and_not_a_missing_column() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    let rows: String = (0..90)
        .map(|n| format!("S{};row;m;{n},50\n", n % 30))
        .collect();

    let file = format!("Artikelnummer;Bezeichnung;ME;Preis\n{rows}");
    let report = dealer
        .import("duplicates=last_wins", file)
        .await
        .expect(200)
        .json;

    assert_eq!(counts(&report), [30, 0, 0, 0, 60]);
    assert_eq!(item(&dealer, "S0").await["price"]["amount"], "60.5");
}

#[actix_web::test]
async fn a_file_of_bad_rows_only_writes_nothing_and_says_so() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;

    let report = load(&dealer, "sku;name;unit;price\nA;a;m;x\n;b;m;1,5\n").await;

    assert_eq!(counts(&report), [0, 0, 0, 2, 0]);
    assert_eq!(super::sizes(&app, &dealer).await[0], 0);
}

#[actix_web::test]
async fn fifty_thousand_rejected_rows_are_told_one_by_one() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    let mut file = String::from("sku;name;unit;price\nA;a;m;1,5\n");
    for n in 0..50_000 {
        file.push_str(&format!("B{n};\"quote \"\" and \\ ü\";m;?\n"));
    }
    file.push_str("Z;z;m;2,5\n");

    let reply = dealer.import("", file).await.expect(200);

    assert_eq!(reply.header("content-type"), "application/json");
    let rows = reply.json["rejected_rows"].as_array().unwrap();
    assert_eq!(
        (rows.len(), &reply.json["rejected"]),
        (50_000, &json!(50_000))
    );
    let last = &rows[49_999];
    assert_eq!(
        (&last["line"], &last["value"]),
        (&json!(50_002), &json!("?"))
    );
    assert_eq!(counts(&reply.json)[0], 2);
}
