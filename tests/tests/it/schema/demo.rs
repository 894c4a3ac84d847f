//! The demonstration catalogue that a dealer can be born with.

use std::collections::HashSet;

use serde_json::Value;
use tests::{Actor, Dealer, TestApp, tubex};

/// A dealer that was born with the demonstration catalogue.
async fn demo_dealer(app: &TestApp) -> Actor {
    let url = app.database.owner_url();
    let arguments = [
        "tenant",
        "create",
        "demo",
        "--name",
        "Demo",
        "--owner-email",
        "owner@demo.example",
        "--seed",
        "demo",
    ];
    let dealer: Dealer = app.dealer().await;
    let created = tubex(
        &url,
        &arguments,
        &[("TUBEX_OWNER_PASSWORD", &dealer.password)],
    );
    assert!(
        created.status.success(),
        "{}",
        String::from_utf8_lossy(&created.stderr)
    );
    let stranger = app.stranger("demo.localhost");
    let tokens = stranger
        .sign_in("owner@demo.example", &dealer.password)
        .await
        .expect(200)
        .json;
    stranger.with_token(tokens["access_token"].as_str().unwrap())
}

async fn all(who: &Actor, list: &str) -> Vec<Value> {
    let (mut rows, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = who
            .get(&format!("{list}?limit=200{cursor}"))
            .await
            .expect(200)
            .json;
        rows.extend(page["data"].as_array().unwrap().iter().cloned());
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return rows,
        }
    }
}

fn is_gtin(code: &str) -> bool {
    let digits: Vec<u32> = code.chars().filter_map(|c| c.to_digit(10)).collect();
    let weighted = digits.iter().rev().zip([1, 3].into_iter().cycle());
    let sum: u32 = weighted.map(|(digit, weight)| digit * weight).sum();
    digits.len() == code.len() && matches!(code.len(), 8 | 12 | 13 | 14) && sum.is_multiple_of(10)
}

#[actix_web::test]
async fn it_is_a_catalogue_that_one_can_work_with() {
    let app = TestApp::start().await;
    let demo = demo_dealer(&app).await;

    let (items, groups) = (all(&demo, "/items").await, all(&demo, "/item-groups").await);
    let units = all(&demo, "/units").await;

    assert!(items.len() >= 300, "{}", items.len());
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let groups: HashSet<String> = groups.iter().map(|group| text(&group["id"])).collect();
    let units: HashSet<String> = units.iter().map(|unit| text(&unit["code"])).collect();
    let (mut skus, mut barcodes) = (HashSet::new(), HashSet::new());
    let mut used = HashSet::new();
    for item in &items {
        let sku = text(&item["sku"]);
        assert!(groups.contains(&text(&item["group_id"])), "{sku}");
        assert!(units.contains(&text(&item["base_unit"])), "{sku}");
        assert_eq!(item["price"]["currency"], "EUR", "{sku}");
        assert!(text(&item["name"]).len() > 5, "{sku}");
        for barcode in item["barcodes"].as_array().unwrap() {
            let barcode = text(barcode);
            assert!(is_gtin(&barcode), "{sku}: {barcode}");
            assert!(barcodes.insert(barcode), "{sku}");
        }
        used.insert(text(&item["base_unit"]));
        assert!(skus.insert(sku));
    }
    assert!(
        groups.len() > 20 && used.len() > 8 && barcodes.len() > 20,
        "it shows what can be done"
    );
    assert!(items.iter().any(|item| item["status"] == "obsolete"));
    assert!(items.iter().any(|item| item["price"]["per"] != "1"));
}

#[actix_web::test]
async fn what_it_has_can_be_found_and_changed() {
    let app = TestApp::start().await;
    let demo = demo_dealer(&app).await;

    let found = demo.get("/items?q=brick&limit=1").await.expect(200).json["data"][0].clone();
    let path = format!("/items/{}", found["id"].as_str().unwrap());
    let changed = demo
        .patch(&path, 1, serde_json::json!({"name": "Changed"}))
        .await;

    assert_eq!(changed.expect(200).json["version"], 2);
}
