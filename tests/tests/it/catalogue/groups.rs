//! The tree of groups: its order, its names, and what may be removed.

use serde_json::{Value, json};
use tests::{Dealer, TestApp};

use super::{group, path_of, pointers, query};

fn at(group: &Value) -> String {
    format!("/item-groups/{}", group["id"].as_str().unwrap())
}

/// The paths of all groups in the order of the list.
async fn paths(dealer: &Dealer) -> Vec<String> {
    let reply = dealer.get("/item-groups?limit=200").await.expect(200);
    let rows = reply.json["data"].as_array().unwrap().iter();
    rows.map(|row| {
        let path: Vec<&str> = row["path"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        path.join(">")
    })
    .collect()
}

#[actix_web::test]
async fn groups_are_listed_as_the_tree_is_read() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let b = group(&dealer, "b", None).await;
    let a = group(&dealer, "a", None).await;
    let by = group(&dealer, "y", Some(&b)).await;
    group(&dealer, "x", Some(&b)).await;
    group(&dealer, "1", Some(&by)).await;
    group(&dealer, "z", Some(&a)).await;

    let expected = ["a", "a>z", "b", "b>x", "b>y", "b>y>1"];

    assert_eq!(paths(&dealer).await, expected);
    let below = dealer
        .get(&query(
            "/item-groups",
            &[("parent_id", b["id"].as_str().unwrap())],
        ))
        .await;
    assert_eq!(super::column(&below, "name"), ["x", "y"]);
    let read = dealer.get(&at(&by)).await.expect(200);
    assert_eq!(read.json["path"], json!(["b", "y"]));
    assert_eq!(
        (&read.json["parent_id"], read.header("etag")),
        (&b["id"], "\"1\"")
    );
}

#[actix_web::test]
async fn the_tree_is_walked_page_by_page() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    for name in ["a", "b", "c"] {
        let root = group(&dealer, name, None).await;
        for child in ["x", "y", "z"] {
            group(&dealer, child, Some(&root)).await;
        }
    }
    let whole = paths(&dealer).await;

    let (mut found, mut next) = (0, None::<String>);
    loop {
        let mut pairs = vec![("limit", "5")];
        pairs.extend(next.as_deref().map(|cursor| ("cursor", cursor)));
        let page = dealer.get(&query("/item-groups", &pairs)).await.expect(200);
        for row in page.json["data"].as_array().unwrap() {
            let last = row["path"]
                .as_array()
                .unwrap()
                .last()
                .unwrap()
                .as_str()
                .unwrap();
            assert!(whole[found].ends_with(last));
            found += 1;
        }
        next = page.json["next"].as_str().map(str::to_owned);
        if next.is_none() {
            break;
        }
    }

    assert_eq!(found, whole.len());
}

#[actix_web::test]
async fn a_renamed_group_takes_its_children_along() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let root = group(&dealer, "root", None).await;
    let child = group(&dealer, "child", Some(&root)).await;

    let renamed = dealer
        .patch(&at(&root), 1, json!({"name": " trunk "}))
        .await
        .expect(200);

    assert_eq!(
        (&renamed.json["name"], renamed.header("etag")),
        (&json!("trunk"), "\"2\"")
    );
    assert_eq!(
        dealer.get(&at(&child)).await.json["path"],
        json!(["trunk", "child"])
    );
    assert_eq!(dealer.get(&at(&child)).await.json["version"], 1);
}

#[actix_web::test]
async fn a_name_is_taken_among_siblings_but_free_elsewhere() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let a = group(&dealer, "a", None).await;
    let b = group(&dealer, "b", None).await;
    let a_x = group(&dealer, "x", Some(&a)).await;

    let root_again = dealer
        .post("/item-groups", json!({"name": " a "}))
        .await
        .expect(409);
    let child_again = json!({"name": "x", "parent_id": a["id"]});
    let child_again = dealer.post("/item-groups", child_again).await.expect(409);
    let elsewhere = group(&dealer, "x", Some(&b)).await;
    let renamed = dealer
        .patch(&at(&b), 1, json!({"name": "a"}))
        .await
        .expect(409);
    let moved = dealer
        .patch(&at(&a_x), 1, json!({"parent_id": b["id"]}))
        .await
        .expect(409);
    let to_root = dealer
        .patch(&at(&elsewhere), 1, json!({"parent_id": null}))
        .await
        .expect(200);

    for refused in [root_again, child_again, renamed, moved] {
        assert_eq!(refused.problem(), "item_group_name_taken");
    }
    assert_eq!(to_root.json["path"], json!(["x"]));
}

#[actix_web::test]
async fn only_an_empty_group_is_removed() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let root = group(&dealer, "root", None).await;
    let child = group(&dealer, "child", Some(&root)).await;
    let item = path_of(&dealer.item("A", json!({"group_id": child["id"]})).await);

    let with_child = dealer.delete(&at(&root)).await.expect(409);
    let with_item = dealer.delete(&at(&child)).await.expect(409);
    dealer.delete(&item).await.expect(204);
    let with_retired = dealer.delete(&at(&child)).await.expect(409);
    dealer
        .patch(&item, 2, json!({"group_id": null}))
        .await
        .expect(200);
    dealer.delete(&at(&child)).await.expect(204);
    dealer.delete(&at(&root)).await.expect(204);

    for refused in [with_child, with_item, with_retired] {
        assert_eq!(refused.problem(), "item_group_not_empty");
    }
    assert_eq!(
        dealer.get(&at(&root)).await.problem(),
        "item_group_not_found"
    );
    assert_eq!(
        dealer.delete(&at(&root)).await.problem(),
        "item_group_not_found"
    );
}

#[actix_web::test]
async fn an_unknown_parent_is_pointed_at() {
    let app = TestApp::start().await;
    let (dealer, neighbour) = (app.dealer().await, app.dealer().await);
    let own = group(&dealer, "own", None).await;
    let foreign = group(&neighbour, "foreign", None).await;

    for parent in [
        &foreign["id"],
        &json!("01890000-0000-7000-8000-000000000000"),
    ] {
        let body = json!({"name": "x", "parent_id": parent});
        let created = dealer.post("/item-groups", body).await.expect(422);
        let moved = dealer
            .patch(&at(&own), 1, json!({"parent_id": parent}))
            .await
            .expect(422);

        assert_eq!(
            (pointers(&created), pointers(&moved)),
            (vec!["/parent_id"], vec!["/parent_id"])
        );
    }
}

#[actix_web::test]
async fn a_neighbours_group_does_not_exist() {
    let app = TestApp::start().await;
    let (ours, theirs) = (app.dealer().await, app.dealer().await);
    let foreign = at(&group(&theirs, "theirs", None).await);

    for reply in [
        ours.get(&foreign).await,
        ours.patch(&foreign, 1, json!({"name": "mine"})).await,
        ours.delete(&foreign).await,
    ] {
        assert_eq!(
            (reply.status.as_u16(), reply.problem()),
            (404, "item_group_not_found")
        );
    }
    assert_eq!(theirs.get(&foreign).await.json["name"], "theirs");
}
