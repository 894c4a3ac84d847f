//! What is in the files.

use serde_json::json;
use tests::Dealer;

use super::*;

/// Items that are hard to write down.
async fn awkward_items(dealer: &Dealer) {
    let outer = dealer.post("/item-groups", json!({"name": "Walls"})).await;
    let outer = outer.expect(201).json["id"].clone();
    let inner = json!({"name": "Bricks, red", "parent_id": outer});
    let inner = dealer.post("/item-groups", inner).await.expect(201).json["id"].clone();
    let price = |amount: &str, per: &str| json!({"amount": amount, "per": per, "currency": "EUR"});
    for (sku, fields) in [
        (
            "=1+1",
            json!({"name": "+49 \"quoted\", with; signs", "price": price("72.91", "100")}),
        ),
        (
            "@home",
            json!({"name": "-5 °C mat", "description": "two\nlines", "price": price("0.000001", "1"),
                "group_id": outer}),
        ),
        (
            "'=X",
            json!({"name": "'t Hof tile", "price": price("1.234", "1"), "group_id": inner,
                "barcodes": ["4006381333931"]}),
        ),
        (
            "0042",
            json!({"name": "Old one", "price": price("999999999999.123456", "1"),
                "status": "obsolete"}),
        ),
    ] {
        dealer.item(sku, fields).await;
    }
}

/// All that an import can say of the dealer's items.
async fn told(dealer: &Dealer) -> Vec<Value> {
    let fields = "sku,name,description,base_unit,price,barcodes,status,group_id";
    let list = dealer
        .get(&format!("/items?limit=200&fields={fields}"))
        .await;
    list.expect(200).json["data"].as_array().unwrap().clone()
}

#[actix_web::test]
async fn a_csv_holds_no_formula_and_our_import_reads_it_back_to_the_same_items() {
    let app = working().await;
    let (acme, bolt) = (app.dealer().await, app.dealer().await);
    awkward_items(&acme).await;

    let export = exported(&acme, json!({})).await;
    let file = file_of(&acme, &export).await;

    assert_eq!(export["rows"], 4);
    let text = file.text();
    let mut lines = text.trim_start_matches('\u{feff}').lines();
    assert_eq!(
        lines.next().unwrap(),
        "SKU,Name,Description,Level 1,Level 2,Unit,Price,Price per,Currency,Barcode,Status"
    );
    for line in text.lines() {
        let first = line.trim_start_matches('"');
        assert!(!first.starts_with(['=', '+', '-', '@']), "{line}");
    }
    assert!(text.contains("'=1+1,\"'+49 "), "{text}");

    // To the same dealer: nothing is different.
    let report = acme.import("", file.body.clone()).await.expect(200).json;
    assert_eq!(report["rejected"], 0, "{report}");
    assert_eq!(
        (&report["unchanged"], &report["updated"]),
        (&json!(4), &json!(0)),
        "{report}"
    );

    // To another: the same items.
    let report = bolt.import("", file.body).await.expect(200).json;
    assert_eq!(
        (&report["created"], &report["rejected"]),
        (&json!(4), &json!(0)),
        "{report}"
    );
    let without_group = |items: Vec<Value>| -> Vec<Value> {
        let strip = |mut item: Value| {
            item.as_object_mut().unwrap().remove("group_id");
            item
        };
        items.into_iter().map(strip).collect()
    };
    assert_eq!(
        without_group(told(&acme).await),
        without_group(told(&bolt).await)
    );
}

#[actix_web::test]
async fn a_workbook_is_read_back_to_the_same_items() {
    let app = working().await;
    let acme = app.dealer().await;
    awkward_items(&acme).await;

    let export = exported(&acme, json!({"format": "xlsx"})).await;
    let file = file_of(&acme, &export).await;

    assert!(file.body.starts_with(b"PK"));
    assert!(file.header("content-type").contains("spreadsheetml"));
    let report = acme.import("", file.body).await.expect(200).json;
    // A cell of a worksheet has no line breaks of its own when it is read: one text is different.
    assert_eq!(report["rejected"], 0, "{report}");
    assert_eq!(report["mapping"]["sheet"], "Sheet1", "{report}");
    assert_eq!(
        (&report["unchanged"], &report["updated"]),
        (&json!(3), &json!(1)),
        "{report}"
    );
}

#[actix_web::test]
async fn a_filter_and_columns_are_taken_as_they_are_said() {
    let app = working().await;
    let acme = app.dealer().await;
    awkward_items(&acme).await;

    let wishes = json!({"columns": ["status", "sku"], "filter": {"status": "obsolete"}});
    let export = exported(&acme, wishes).await;
    let searched = exported(&acme, json!({"columns": ["sku"], "filter": {"q": "mat"}})).await;

    let text = file_of(&acme, &export).await.text();
    assert_eq!(text, "\u{feff}Status,SKU\r\nobsolete,0042\r\n");
    let text = file_of(&acme, &searched).await.text();
    assert_eq!(text, "\u{feff}SKU\r\n'@home\r\n");
    let twice = json!({"kind": "items", "format": "csv", "columns": ["sku", "sku"]});
    let refused = acme.post("/exports", twice).await.expect(422);
    assert_eq!(refused.json["errors"][0]["pointer"], "/columns/1");
}

#[actix_web::test]
async fn more_items_than_a_page_come_once_each() {
    let app = working().await;
    let acme = app.dealer().await;
    let mut file = "sku,name,unit,price\n".to_owned();
    for number in 0..2500 {
        file += &format!("S{number:05},Item {number},pcs,{number}.5\n");
    }
    acme.import("", file).await.expect(200);

    let export = exported(&acme, json!({"columns": ["sku"]})).await;

    assert_eq!(export["rows"], 2500);
    let text = file_of(&acme, &export).await.text();
    let skus: Vec<_> = text.lines().skip(1).collect();
    let expected: Vec<_> = (0..2500).map(|number| format!("S{number:05}")).collect();
    assert_eq!(skus, expected);
}
