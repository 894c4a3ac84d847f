//! Putting items away, and bringing them back.

use reqwest::Method;
use serde_json::{Value, json};
use tests::TestApp;

use super::{path_of, skus};

#[actix_web::test]
async fn a_retired_item_is_out_of_the_lists_but_can_be_read_and_restored() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let item = dealer
        .item("A", json!({"barcodes": ["1234567"], "status": "obsolete"}))
        .await;
    let path = path_of(&item);

    dealer.delete(&path).await.expect(204);
    let retired = dealer.get(&path).await.expect(200);
    let listed = skus(&dealer, &[]).await;
    let set_aside = skus(&dealer, &[("status", "retired")]).await;
    let restored = dealer
        .post(&format!("{path}/restore"), json!({}))
        .await
        .expect(200);

    assert_eq!(retired.json["status"], "retired");
    assert!(retired.json["retired_at"].is_string());
    assert_eq!((listed.len(), set_aside), (0, vec!["A".to_owned()]));
    assert_eq!(
        restored.json["status"], "obsolete",
        "it comes back as it was"
    );
    assert_eq!(restored.json["retired_at"], Value::Null);
    assert_eq!(restored.json["barcodes"], json!(["1234567"]));
    assert_eq!(
        (restored.header("etag"), &restored.json["version"]),
        ("\"3\"", &json!(3))
    );
    assert_eq!(skus(&dealer, &[]).await, ["A"]);
}

#[actix_web::test]
async fn doing_it_twice_changes_nothing() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let path = path_of(&dealer.item("A", json!({})).await);
    let restore = format!("{path}/restore");

    let untouched = dealer.post(&restore, json!({})).await.expect(200);
    dealer.delete(&path).await.expect(204);
    let once = dealer.get(&path).await.json;
    app.advance(time::Duration::minutes(1));
    dealer.delete(&path).await.expect(204);
    let twice = dealer.get(&path).await.json;
    let first = dealer.post(&restore, json!({})).await.expect(200).json;
    let second = dealer.post(&restore, json!({})).await.expect(200).json;

    assert_eq!(untouched.json["version"], 1);
    assert_eq!(once, twice);
    assert_eq!((&first["version"], &first), (&json!(3), &second));
}

#[actix_web::test]
async fn a_removal_may_name_the_version_it_means() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let path = path_of(&dealer.item("A", json!({})).await);
    let removal = |if_match: &'static str| {
        dealer.send(
            dealer
                .request(Method::DELETE, &path)
                .header("if-match", if_match),
        )
    };

    let stale = removal("\"7\"").await;
    let garbage = removal("seven").await;
    let still_there = skus(&dealer, &[]).await;
    removal("\"1\"").await.expect(204);

    assert_eq!(
        (stale.problem(), garbage.problem()),
        ("precondition_failed", "precondition_failed")
    );
    assert_eq!(still_there, ["A"]);
    assert!(skus(&dealer, &[]).await.is_empty());
}

#[actix_web::test]
async fn a_removal_without_a_version_is_taken_at_its_word() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let path = path_of(&dealer.item("A", json!({})).await);

    dealer
        .send(dealer.request(Method::DELETE, &path))
        .await
        .expect(204);

    assert_eq!(dealer.get(&path).await.json["status"], "retired");
}

#[actix_web::test]
async fn what_is_not_there_is_neither_retired_nor_restored() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let path = "/items/01890000-0000-7000-8000-000000000000";

    let retired = dealer.delete(path).await;
    let restored = dealer.post(&format!("{path}/restore"), json!({})).await;

    assert_eq!(
        (retired.problem(), restored.problem()),
        ("item_not_found", "item_not_found")
    );
}
