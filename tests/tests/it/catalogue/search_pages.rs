//! Walking through the pages of a search.

use std::collections::HashSet;

use serde_json::json;
use tests::TestApp;

use super::{column, query};

#[actix_web::test]
async fn every_result_is_on_exactly_one_page_and_the_order_holds() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    // Every rank of the search has many items, so that pages break within each of them.
    let mut file = String::from("sku,name,unit,price\nwool,Exact,pcs,1\n");
    for n in 0..40 {
        file.push_str(&format!("wool-{n:02},Prefix,pcs,1\n"));
        file.push_str(&format!("a{n:02},Soft wool,pcs,1\n"));
        file.push_str(&format!("m{n:02},Steelwool,pcs,1\n"));
        file.push_str(&format!("x{n:02},Nothing,pcs,1\n"));
    }
    dealer.import("", file).await.expect(200);
    let mut expected = vec!["wool".to_owned()];
    for rank in ["wool-", "a", "m"] {
        expected.extend((0..40).map(|n| format!("{rank}{n:02}")));
    }

    for limit in ["1", "7", "40", "200"] {
        let mut found = Vec::new();
        let mut cursor = None::<String>;
        loop {
            let mut pairs = vec![("q", "wool"), ("limit", limit)];
            pairs.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
            let page = dealer.get(&query("/items", &pairs)).await.expect(200);
            found.extend(column(&page, "sku"));
            cursor = page.json["next"].as_str().map(str::to_owned);
            if cursor.is_none() {
                break;
            }
        }

        assert_eq!(found, expected, "limit {limit}");
    }
}

#[actix_web::test]
async fn a_search_by_barcode_walks_through_its_words_too() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    dealer.item("Z", json!({"barcodes": ["96385074"]})).await;
    for sku in ["A", "B", "C"] {
        dealer
            .item(sku, json!({"description": "spare part of 96385074"}))
            .await;
    }

    let mut found = Vec::new();
    let mut next = None::<String>;
    for _ in 0..4 {
        let mut pairs = vec![("q", "96385074"), ("limit", "1")];
        pairs.extend(next.as_deref().map(|cursor| ("cursor", cursor)));
        let page = dealer.get(&query("/items", &pairs)).await.expect(200);
        found.extend(column(&page, "sku"));
        next = page.json["next"].as_str().map(str::to_owned);
    }

    assert_eq!((found.concat(), next), ("ZABC".to_owned(), None));
}

#[actix_web::test]
async fn a_walk_survives_items_that_appear_meanwhile() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    for n in 0..20 {
        dealer
            .item(&format!("s{n:02}"), json!({"name": "wool"}))
            .await;
    }

    let mut found = Vec::new();
    let mut next = None::<String>;
    for n in 0.. {
        let mut pairs = vec![("q", "wool"), ("limit", "5")];
        pairs.extend(next.as_deref().map(|cursor| ("cursor", cursor)));
        let page = dealer.get(&query("/items", &pairs)).await.expect(200);
        found.extend(column(&page, "sku"));
        next = page.json["next"].as_str().map(str::to_owned);
        if next.is_none() {
            break;
        }
        dealer
            .item(&format!("a{n}"), json!({"name": "wool, behind us"}))
            .await;
        dealer
            .item(&format!("t{n}"), json!({"name": "wool, ahead of us"}))
            .await;
    }

    let distinct: HashSet<_> = found.iter().collect();
    assert_eq!(distinct.len(), found.len(), "nothing twice: {found:?}");
    assert!((0..20).all(|n| found.contains(&format!("s{n:02}"))));
    assert!(found.iter().any(|sku| sku.starts_with('t')));
    assert!(!found.iter().any(|sku| sku.starts_with('a')));
}
