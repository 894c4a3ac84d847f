//! In which order a list comes, and which fields of it.

use serde_json::{Value, json};
use tests::{Asked, Dealer, Scratch, TestApp, Wire};

use super::{column, load};

async fn skus(dealer: &Dealer, query: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut path = format!("/items?limit=2&{query}");
    loop {
        let page = dealer.get(&path).await.expect(200);
        found.extend(column(&page, "sku"));
        match page.json["next"].as_str() {
            Some(next) => path = format!("/items?limit=2&{query}&cursor={next}"),
            None => return found,
        }
    }
}

#[actix_web::test]
async fn items_come_in_either_order_of_sku_name_and_change() {
    let app = TestApp::start_working().await;
    let acme = app.dealer().await;
    for (sku, name) in [
        ("A", "Same"),
        ("B", "Zinc"),
        ("C", "Same"),
        ("D", "Ash"),
        ("E", "Same"),
    ] {
        acme.item(sku, json!({"name": name})).await;
        app.advance(time::Duration::seconds(1));
    }
    let all = acme.get("/items").await.json["data"].clone();
    let b = format!("/items/{}", all[1]["id"].as_str().unwrap());
    acme.patch(&b, 1, json!({"description": "touched"}))
        .await
        .expect(200);

    for (sort, expected) in [
        ("sku", "ABCDE"),
        ("-sku", "EDCBA"),
        ("name", "DACEB"),
        ("-name", "BECAD"),
        ("updated_at", "ACDEB"),
        ("-updated_at", "BEDCA"),
    ] {
        let query = format!("sort={sort}");
        assert_eq!(skus(&acme, &query).await.concat(), expected, "{sort}");
    }
}

#[actix_web::test]
async fn items_that_changed_at_the_same_moment_are_all_told_once() {
    let app = TestApp::start_working().await;
    let acme = app.dealer().await;
    load(&acme, 7).await; // one moment for all of a file
    let expected: Vec<_> = (0..7).map(|n| format!("{n:04}")).collect();

    let up = skus(&acme, "sort=updated_at").await;
    let mut down = skus(&acme, "sort=-updated_at").await;
    down.reverse();

    assert_eq!((&up, &down), (&expected, &expected));
}

#[actix_web::test]
async fn only_what_changed_since_a_moment_is_told() {
    let app = TestApp::start_working().await;
    let acme = app.dealer().await;
    acme.item("OLD", json!({})).await;
    app.advance(time::Duration::minutes(10));
    let new = acme.item("NEW", json!({})).await;
    let since = new["updated_at"].as_str().unwrap().to_owned();

    assert_eq!(
        skus(&acme, &format!("updated_since={since}")).await,
        ["NEW"]
    );
    assert_eq!(
        skus(&acme, "updated_since=2020-01-01T00:00:00Z&sort=-sku").await,
        ["OLD", "NEW"]
    );
    for wrong in ["yesterday", "2026-01-01", ""] {
        let reply = acme.get(&format!("/items?updated_since={wrong}")).await;
        assert_eq!(reply.problem(), "query_invalid", "{wrong}");
    }
}

#[actix_web::test]
async fn what_is_not_on_the_list_of_orders_is_refused() {
    let app = TestApp::start_working().await;
    let acme = app.dealer().await;

    for wrong in [
        "price", "--sku", "+sku", "sku,name", "sku desc", "version", "id;drop", "",
    ] {
        let reply = acme.get(&format!("/items?sort={wrong}")).await;
        assert_eq!(
            (reply.status.as_u16(), reply.problem()),
            (400, "query_invalid"),
            "{wrong}"
        );
    }
}

/// The statement as the server sent it, explained by the database itself.
#[actix_web::test]
async fn an_index_gives_items_their_order() {
    let database = Scratch::with_lane_of(1).await;
    let wire = Wire::to(&database).await;
    let app = TestApp::start_on(database, &[("TUBEX_DATABASE__URL", wire.url())]).await;
    app.work();
    let acme = app.dealer().await;
    load(&acme, 2_000).await;
    let schema = app.database.schema_of("acme").await;
    let mut owner = app.database.connect_to_home_of("acme").await;
    let ready = format!("SET search_path = {schema}, shared; ANALYZE {schema}.item");
    sqlx::raw_sql(sqlx::AssertSqlSafe(ready))
        .execute(&mut owner)
        .await
        .unwrap();

    for (sort, index) in [
        ("sku", "item_sku_key"),
        ("-sku", "item_sku_key"),
        ("name", "item_name_idx"),
        ("-name", "item_name_idx"),
    ] {
        wire.record();
        acme.get(&format!("/items?sort={sort}")).await.expect(200);
        let asked = wire.asked_by_lanes();
        let list = asked.iter().find_map(|asked| match asked {
            Asked::Prepare(sql) if sql.contains("FROM item i") && sql.contains("ORDER BY") => {
                Some(sql.clone())
            }
            _ => None,
        });
        let explain = format!(
            "EXPLAIN (FORMAT JSON) {}",
            list.expect("the list was asked for")
        );
        let plan: Value = sqlx::query_scalar(sqlx::AssertSqlSafe(explain))
            .bind(51_i64)
            .fetch_one(&mut owner)
            .await
            .unwrap();

        // Right below the limit: a scan in the index's order, and nothing that sorts its rows.
        let scan = &plan[0]["Plan"]["Plans"][0];
        assert_eq!(scan["Node Type"], "Index Scan", "{sort}: {plan}");
        assert_eq!(scan["Index Name"], index, "{sort}: {plan}");
    }
}

#[actix_web::test]
async fn only_the_fields_that_are_asked_for_are_told() {
    let app = TestApp::start_working().await;
    let acme = app.dealer().await;
    let item = acme.item("A", json!({})).await;
    let item = format!("/items/{}", item["id"].as_str().unwrap());
    let group = acme
        .post("/item-groups", json!({"name": "G"}))
        .await
        .expect(201);
    let group = format!("/item-groups/{}", group.json["id"].as_str().unwrap());

    for (path, fields) in [
        ("/items", "price,sku"),
        (item.as_str(), "price,sku"),
        ("/units", "code,symbol"),
        ("/units/pcs", "symbol"),
        ("/item-groups", "name,path"),
        (&group, "path"),
    ] {
        let reply = acme
            .get(&format!("{path}?fields={fields}"))
            .await
            .expect(200);
        let row = match &reply.json["data"] {
            Value::Array(rows) => rows[0].clone(),
            _ => reply.json.clone(),
        };
        let mut told: Vec<_> = row.as_object().unwrap().keys().cloned().collect();
        told.sort();
        assert_eq!(told.join(","), fields, "{path}");
        let whole = acme.get(path).await.expect(200);
        let whole = match &whole.json["data"] {
            Value::Array(rows) => rows[0].clone(),
            _ => whole.json.clone(),
        };
        for name in told {
            assert_eq!(row[&name], whole[&name], "{path} {name}");
        }
    }
    let part = acme.get(&format!("{item}?fields=sku")).await;
    assert_eq!(
        part.header("etag"),
        "\"1\"",
        "a part is of the same version"
    );
}

#[actix_web::test]
async fn a_field_that_is_none_is_refused_with_those_there_are() {
    let app = TestApp::start_working().await;
    let acme = app.dealer().await;

    for path in ["/items", "/units", "/item-groups", "/units/pcs"] {
        for wrong in [
            "password_hash",
            "name,search",
            "",
            "name,",
            " name",
            "name;id",
        ] {
            let reply = acme.get(&format!("{path}?fields={wrong}")).await;
            assert_eq!(reply.problem(), "query_invalid", "{path} {wrong:?}");
            let detail = reply.json["detail"].as_str().unwrap();
            assert!(detail.contains("version"), "{path}: {detail}");
        }
    }
}
