//! What lies around items comes with them, at the cost of one statement for all.

use serde_json::{Value, json};
use tests::{Asked, Dealer, Scratch, TestApp, Wire, eventually};

async fn group(dealer: &Dealer, name: &str) -> String {
    let made = dealer.post("/item-groups", json!({ "name": name })).await;
    made.expect(201).json["id"].as_str().unwrap().to_owned()
}

#[actix_web::test]
async fn an_items_group_and_unit_come_with_it_where_they_are_asked_for() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let bricks = group(&acme, "Bricks").await;
    let item = acme.item("A", json!({"group_id": bricks})).await;
    acme.item("B", json!({"base_unit": "m2"})).await;
    let path = format!("/items/{}", item["id"].as_str().unwrap());

    let list = acme.get("/items?include=group,unit").await.expect(200).json;
    let one = acme.get(&format!("{path}?include=unit")).await.expect(200);
    let part = acme
        .get("/items?include=group&fields=sku")
        .await
        .expect(200)
        .json;
    let none = acme.get("/items").await.expect(200).json;

    assert_eq!(list["data"][0]["group"]["name"], "Bricks");
    assert_eq!(list["data"][0]["unit"]["code"], "pcs");
    assert_eq!(list["data"][1].get("group"), None);
    assert_eq!(list["data"][1]["unit"]["code"], "m2");
    assert_eq!(one.json["unit"]["code"], "pcs");
    assert_eq!(one.json.get("group"), None);
    assert_eq!(part["data"][0]["group"]["id"], bricks);
    assert_eq!(part["data"][0].as_object().unwrap().len(), 2);
    assert_eq!(none["data"][0].get("group"), None);
    for wrong in ["price", "group,", "", "groups", "group,unit,barcodes"] {
        let reply = acme.get(&format!("/items?include={wrong}")).await;
        assert_eq!(reply.problem(), "query_invalid", "{wrong}");
    }
}

/// An item's own version does not tell that its group was renamed.
#[actix_web::test]
async fn an_answer_with_surroundings_has_a_version_of_all_of_it() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let bricks = group(&acme, "Bricks").await;
    let item = acme.item("A", json!({"group_id": bricks})).await;
    let path = format!("/items/{}?include=group", item["id"].as_str().unwrap());
    let had = acme.get(&path).await.expect(200).header("etag").to_owned();

    let rename = json!({"name": "Clinkers"});
    acme.patch(&format!("/item-groups/{bricks}"), 1, rename)
        .await
        .expect(200);
    let request = acme.request(reqwest::Method::GET, &path);
    let now = acme.send(request.header("if-none-match", &had)).await;

    assert_eq!(now.expect(200).json["group"]["name"], "Clinkers");
    assert!(had.starts_with("W/"), "{had}");
}

#[actix_web::test]
async fn however_many_items_a_page_has_the_statements_are_as_many() {
    let database = Scratch::with_lane_of(1).await;
    let wire = Wire::to(&database).await;
    let app = TestApp::start_on(database, &[("TUBEX_DATABASE__URL", wire.url())]).await;
    let acme = app.dealer().await;
    for n in 0..30 {
        let id = group(&acme, &format!("Group {n}")).await;
        let unit = ["pcs", "m2", "kg"][n % 3];
        acme.item(
            &format!("{n:03}"),
            json!({"group_id": id, "base_unit": unit}),
        )
        .await;
    }
    let mut counts = Vec::new();

    for limit in [1, 2, 30] {
        let path = format!("/items?include=group,unit&limit={limit}");
        acme.get(&path).await.expect(200); // prepares what there is to prepare
        all_have_ended(&wire).await;
        wire.record();
        let page = acme.get(&path).await.expect(200).json;
        all_have_ended(&wire).await;

        let rows = page["data"].as_array().unwrap();
        assert_eq!(rows.len(), limit);
        assert!(rows.iter().all(|row| row["group"]["name"] != Value::Null));
        let asked = wire.asked_by_lanes();
        // Who asks is looked up now and then, too.
        let is_ours = |sql: &str| {
            let tables = ["FROM item ", "\"item_group\"", "\"unit\""];
            tables.iter().any(|table| sql.contains(table))
        };
        let ran = asked
            .iter()
            .filter(|asked| matches!(asked, Asked::Execute(sql) if is_ours(sql)));
        counts.push(ran.count());
    }

    assert_eq!(counts, [3, 3, 3], "items, groups, units");
}

async fn all_have_ended(wire: &Wire) {
    eventually("every transaction has ended", async || {
        let asked = wire.asked_by_lanes();
        let is = |asked: &&Asked, word: &str| matches!(asked, Asked::Query(sql) if sql.starts_with(word));
        let begun = asked.iter().filter(|asked| is(asked, "BEGIN")).count();
        let ended = asked.iter().filter(|asked| is(asked, "ROLLBACK") || is(asked, "COMMIT"));
        begun == ended.count()
    })
    .await;
}
