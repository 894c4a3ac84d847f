//! The list of items: order, pages, filters.

use serde_json::json;
use tests::{Actor, Dealer, TestApp};

use super::{column, group, path_of, query, skus};

/// Loads items `0000`, `0002`, … with names in the opposite order.
async fn load(dealer: &Dealer, count: usize) {
    let rows = (0..count).map(|n| format!("{:04},Name {:04},pcs,1.00\n", 2 * n, 9999 - n));
    let file = format!("sku,name,unit,price\n{}", rows.collect::<String>());
    let reply = dealer.import("", file).await.expect(200);
    assert_eq!(reply.json["created"], count);
}

/// The SKUs of every page; `between` runs after each of them.
async fn walk(
    who: &Actor,
    asked: &[(&str, &str)],
    mut between: impl AsyncFnMut(usize),
) -> Vec<String> {
    let mut found = Vec::new();
    let mut cursor: Option<String> = None;
    for page in 0.. {
        let mut pairs = asked.to_vec();
        pairs.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let reply = who.get(&query("/items", &pairs)).await.expect(200);
        found.extend(column(&reply, "sku"));
        let Some(next) = reply.json["next"].as_str() else {
            break;
        };
        cursor = Some(next.to_owned());
        between(page).await;
    }
    found
}

#[actix_web::test]
async fn five_hundred_items_are_walked_exactly_once_in_order() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    load(&dealer, 500).await;
    let expected: Vec<String> = (0..500).map(|n| format!("{:04}", 2 * n)).collect();
    let reversed: Vec<String> = expected.iter().rev().cloned().collect();

    for limit in ["7", "50", "100", "200"] {
        let by_sku = walk(&dealer, &[("limit", limit)], async |_| {}).await;

        assert_eq!(by_sku, expected, "limit {limit}");
    }
    let by_name = walk(&dealer, &[("limit", "99"), ("sort", "name")], async |_| {}).await;
    assert_eq!(by_name, reversed);
}

#[actix_web::test]
async fn a_walk_is_not_confused_by_items_that_come_and_go_meanwhile() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    load(&dealer, 500).await;

    let found = walk(&dealer, &[("limit", "100")], async |page| {
        // One behind us, one ahead of us, and one ahead of us that goes away.
        dealer.item(&format!("0001-{page}"), json!({})).await;
        dealer.item(&format!("0999-{page}"), json!({})).await;
        let gone = dealer
            .get(&format!("/items?sku={:04}", 990 + 2 * page))
            .await;
        dealer
            .delete(&path_of(&gone.json["data"][0]))
            .await
            .expect(204);
    })
    .await;

    let mut once = found.clone();
    once.dedup();
    assert_eq!(once, found, "nothing twice");
    assert!(found.is_sorted());
    let stayed = (0..495).map(|n| format!("{:04}", 2 * n));
    for sku in stayed.chain((0..4).map(|page| format!("0999-{page}"))) {
        assert!(found.contains(&sku), "{sku}");
    }
    assert!(!found.iter().any(|sku| sku.starts_with("0001-")));
    assert_eq!(
        found.len(),
        495 + 4 + 1,
        "the fifth to go was never asked for"
    );
}

#[actix_web::test]
async fn a_page_has_between_1_and_200_rows() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    load(&dealer, 201).await;

    let default = dealer.get("/items").await.expect(200);
    let one = dealer.get("/items?limit=1").await.expect(200);
    let most = dealer.get("/items?limit=200").await.expect(200);

    let rows = |reply: &tests::Reply| reply.json["data"].as_array().unwrap().len();
    assert_eq!((rows(&default), rows(&one), rows(&most)), (50, 1, 200));
    for list in ["/items", "/item-groups", "/units"] {
        for limit in ["0", "201", "-1", "1.5", "ten", "", "18446744073709551616"] {
            let reply = dealer.get(&format!("{list}?limit={limit}")).await;

            assert_eq!(
                (reply.status.as_u16(), reply.problem()),
                (400, "query_invalid"),
                "{list} {limit}"
            );
        }
    }
}

#[actix_web::test]
async fn the_last_page_has_no_next_even_when_it_is_full() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    load(&dealer, 4).await;

    let first = dealer.get("/items?limit=2").await.json;
    let next = first["next"].as_str().unwrap();
    let second = dealer
        .get(&query("/items", &[("limit", "2"), ("cursor", next)]))
        .await
        .json;

    assert_eq!(second["data"].as_array().unwrap().len(), 2);
    assert!(second["next"].is_null());
    assert_eq!(
        dealer.get("/items?q=nothing").await.json,
        json!({"data": [], "next": null})
    );
}

#[actix_web::test]
async fn a_cursor_belongs_to_its_list() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    load(&dealer, 3).await;
    let parent = group(&dealer, "A", None).await;
    group(&dealer, "B", Some(&parent)).await;
    let of = async |list: &str| {
        dealer.get(&format!("{list}limit=1")).await.json["next"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let items = of("/items?").await;
    let by_name = of("/items?sort=name&").await;
    let searched = of("/items?q=name&").await;
    let units = of("/units?").await;
    let groups = of("/item-groups?").await;

    for (list, foreign) in [
        ("/items?", &units),
        ("/items?", &groups),
        ("/items?", &by_name),
        ("/items?", &searched),
        ("/items?sort=name&", &items),
        ("/items?sort=name&", &searched),
        ("/items?q=name&", &items),
        ("/units?", &items),
        ("/units?", &groups),
        ("/item-groups?", &items),
        ("/item-groups?", &units),
    ] {
        let reply = dealer.get(&format!("{list}cursor={foreign}")).await;

        assert_eq!(
            (reply.status.as_u16(), reply.problem()),
            (400, "cursor_invalid"),
            "{list}"
        );
    }
    for (list, own) in [
        ("/items?", &items),
        ("/units?", &units),
        ("/item-groups?", &groups),
    ] {
        dealer.get(&format!("{list}cursor={own}")).await.expect(200);
    }
}

#[actix_web::test]
async fn filters_narrow_the_list_and_can_be_combined() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    let outer = group(&dealer, "Outer", None).await;
    let inner = group(&dealer, "Inner", Some(&outer)).await;
    let innermost = group(&dealer, "Innermost", Some(&inner)).await;
    let other = group(&dealer, "Other", None).await;
    dealer
        .item(
            "A",
            json!({"group_id": outer["id"], "barcodes": ["111", "222"]}),
        )
        .await;
    dealer
        .item("B", json!({"group_id": inner["id"], "status": "obsolete"}))
        .await;
    dealer.item("C", json!({"group_id": innermost["id"]})).await;
    dealer
        .item("D", json!({"group_id": other["id"], "status": "obsolete"}))
        .await;
    let retired = dealer
        .item(
            "E",
            json!({"group_id": innermost["id"], "barcodes": ["333"]}),
        )
        .await;
    dealer.delete(&path_of(&retired)).await.expect(204);
    dealer.item("F", json!({})).await;
    let id = |group: &serde_json::Value| group["id"].as_str().unwrap().to_owned();
    let (outer, inner) = (id(&outer), id(&inner));

    for (filter, expected) in [
        (vec![], "ABCDF"),
        (vec![("status", "active")], "ACF"),
        (vec![("status", "obsolete")], "BD"),
        (vec![("status", "retired")], "E"),
        (vec![("group_id", outer.as_str())], "ABC"),
        (vec![("group_id", inner.as_str())], "BC"),
        (
            vec![("group_id", outer.as_str()), ("status", "retired")],
            "E",
        ),
        (
            vec![("group_id", outer.as_str()), ("status", "obsolete")],
            "B",
        ),
        (vec![("group_id", outer.as_str()), ("q", "item")], "ABC"),
        (vec![("group_id", outer.as_str()), ("sku", "C")], "C"),
        (vec![("group_id", inner.as_str()), ("sku", "A")], ""),
        (
            vec![("group_id", "01890000-0000-7000-8000-000000000000")],
            "",
        ),
        (vec![("sku", "A")], "A"),
        (vec![("sku", "a")], ""),
        (vec![("sku", "")], ""),
        (vec![("sku", "E")], ""),
        (vec![("barcode", "222")], "A"),
        (vec![("barcode", "22")], ""),
        (vec![("barcode", "333")], ""),
        (vec![("barcode", "333"), ("status", "retired")], "E"),
        (vec![("barcode", "222"), ("sku", "B")], ""),
        (
            vec![("barcode", "222"), ("q", "item a"), ("status", "active")],
            "A",
        ),
        (vec![("sort", "name"), ("status", "active")], "ACF"),
    ] {
        assert_eq!(
            skus(&dealer, &filter).await.concat(),
            expected,
            "{filter:?}"
        );
    }
}

#[actix_web::test]
async fn a_parameter_that_is_unknown_or_wrong_is_refused() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;

    for bad in [
        "/items?colour=red",
        "/items?Q=brick",
        "/items?status=gone",
        "/items?status=",
        "/items?sort=price",
        "/items?group_id=bricks",
        "/items?group_id=",
        "/items?limit=1&limit=2",
        "/item-groups?q=x",
        "/item-groups?parent_id=x",
        "/units?q=x",
    ] {
        let reply = dealer.get(bad).await;

        assert_eq!(
            (reply.status.as_u16(), reply.problem()),
            (400, "query_invalid"),
            "{bad}: {}",
            reply.text()
        );
    }
}

#[actix_web::test]
async fn a_neighbours_items_are_in_no_list() {
    let app = TestApp::start_working().await;
    let (ours, theirs) = (app.dealer().await, app.dealer().await);
    theirs
        .item("SECRET", json!({"barcodes": ["4006381333931"]}))
        .await;

    for filter in [
        vec![],
        vec![("q", "secret")],
        vec![("sku", "SECRET")],
        vec![("barcode", "4006381333931")],
    ] {
        assert!(skus(&ours, &filter).await.is_empty(), "{filter:?}");
        assert_eq!(skus(&theirs, &filter).await, ["SECRET"], "{filter:?}");
    }
}
