//! Moving groups: a tree stays a tree, whatever is tried.

use serde_json::{Value, json};
use tests::TestApp;

use super::{group, skus};

fn at(group: &Value) -> String {
    format!("/item-groups/{}", group["id"].as_str().unwrap())
}

#[actix_web::test]
async fn a_group_moves_with_everything_in_it() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let a = group(&dealer, "a", None).await;
    let b = group(&dealer, "b", None).await;
    let x = group(&dealer, "x", Some(&a)).await;
    let deep = group(&dealer, "deep", Some(&x)).await;
    dealer.item("I", json!({"group_id": deep["id"]})).await;
    let (a_id, b_id) = (a["id"].as_str().unwrap(), b["id"].as_str().unwrap());

    let moved = dealer
        .patch(&at(&x), 1, json!({"parent_id": b_id}))
        .await
        .expect(200);

    assert_eq!(moved.json["path"], json!(["b", "x"]));
    assert_eq!(
        dealer.get(&at(&deep)).await.json["path"],
        json!(["b", "x", "deep"])
    );
    assert!(skus(&dealer, &[("group_id", a_id)]).await.is_empty());
    assert_eq!(skus(&dealer, &[("group_id", b_id)]).await, ["I"]);
}

#[actix_web::test]
async fn a_group_can_not_be_moved_into_itself() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let a = group(&dealer, "a", None).await;
    let b = group(&dealer, "b", Some(&a)).await;
    let c = group(&dealer, "c", Some(&b)).await;

    for target in [&a, &b, &c] {
        let reply = dealer
            .patch(&at(&a), 1, json!({"parent_id": target["id"]}))
            .await
            .expect(409);

        assert_eq!(reply.problem(), "item_group_cycle");
    }
    assert_eq!(
        dealer.get(&at(&c)).await.json["path"],
        json!(["a", "b", "c"])
    );
}

/// Each of the moves is fine by itself; together they would tie two groups into a ring that
/// hangs in the air.
#[actix_web::test]
async fn two_moves_at_once_do_not_close_a_ring() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;

    for round in 0..6 {
        let a = group(&dealer, &format!("a{round}"), None).await;
        let b = group(&dealer, &format!("b{round}"), None).await;

        let (a_path, b_path) = (at(&a), at(&b));
        let (one, two) = tokio::join!(
            dealer.patch(&a_path, 1, json!({"parent_id": b["id"]})),
            dealer.patch(&b_path, 1, json!({"parent_id": a["id"]})),
        );

        let mut statuses = [one.status.as_u16(), two.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409], "{} {}", one.text(), two.text());
        for path in [a_path, b_path] {
            dealer.get(&path).await.expect(200);
        }
    }
}

#[actix_web::test]
async fn a_move_and_a_rename_are_one_change() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let a = group(&dealer, "a", None).await;
    let taken = group(&dealer, "taken", Some(&a)).await;
    let other = group(&dealer, "taken", None).await;

    let refused = dealer
        .patch(&at(&other), 1, json!({"parent_id": a["id"]}))
        .await;
    let both = json!({"parent_id": a["id"], "name": "free"});
    let done = dealer.patch(&at(&other), 1, both).await.expect(200);

    assert_eq!(refused.problem(), "item_group_name_taken");
    assert_eq!(
        (&done.json["path"], &done.json["version"]),
        (&json!(["a", "free"]), &json!(2))
    );
    assert_eq!(
        dealer.get(&at(&taken)).await.json["path"],
        json!(["a", "taken"])
    );
}

#[actix_web::test]
async fn a_deep_tree_is_listed_and_filtered() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let root = group(&dealer, "0", None).await;
    let mut last = root.clone();
    for depth in 1..60 {
        last = group(&dealer, &depth.to_string(), Some(&last)).await;
    }
    dealer.item("DEEP", json!({"group_id": last["id"]})).await;

    let found = skus(&dealer, &[("group_id", root["id"].as_str().unwrap())]).await;

    assert_eq!(found, ["DEEP"]);
    let path = dealer.get(&at(&last)).await.json["path"]
        .as_array()
        .unwrap()
        .len();
    assert_eq!(path, 60);
}
