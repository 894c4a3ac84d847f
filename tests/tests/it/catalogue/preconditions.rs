//! The version that a change is based on.

use reqwest::Method;
use serde_json::json;
use tests::{Actor, Reply, TestApp};

use super::{group, path_of};

/// A change with an `If-Match` as it is, or without one.
async fn change(who: &Actor, path: &str, if_match: Option<&str>) -> Reply {
    let mut request = who
        .request(Method::PATCH, path)
        .json(&json!({"name": "changed"}));
    if let Some(value) = if_match {
        request = request.header("if-match", value);
    }
    who.send(request).await
}

#[actix_web::test]
async fn a_change_without_a_version_is_refused() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let item = path_of(&dealer.item("A", json!({})).await);
    let bricks = group(&dealer, "Bricks", None).await;
    let bricks = format!("/item-groups/{}", bricks["id"].as_str().unwrap());

    for path in [item.as_str(), bricks.as_str(), "/units/pcs"] {
        let reply = change(&dealer, path, None).await;

        assert_eq!(
            (reply.status.as_u16(), reply.problem()),
            (428, "precondition_required"),
            "{path}"
        );
        assert_ne!(dealer.get(path).await.json["name"], "changed");
    }
    for path in [bricks.as_str(), "/units/pcs"] {
        let reply = dealer.send(dealer.request(Method::DELETE, path)).await;

        assert_eq!(reply.problem(), "precondition_required", "{path}");
    }
}

#[actix_web::test]
async fn a_version_that_is_not_the_present_one_is_refused() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let path = path_of(&dealer.item("A", json!({})).await);

    for wrong in [
        "\"0\"",
        "\"2\"",
        "\"-1\"",
        "1",
        "\"1",
        "1\"",
        "\"\"",
        "",
        "\"one\"",
        "W/\"1\"",
        "'1'",
        "\"1\", \"2\"",
        "\"+1\"",
        "\"01\"",
        "\"1 \"",
        "\"1.0\"",
        "**",
        "\"99999999999999999999\"",
    ] {
        let reply = change(&dealer, &path, Some(wrong)).await;

        assert_eq!(
            (reply.status.as_u16(), reply.problem()),
            (412, "precondition_failed"),
            "{wrong}"
        );
    }
    assert_eq!(dealer.get(&path).await.json["version"], 1);
}

#[actix_web::test]
async fn a_star_and_the_present_version_are_good() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let path = path_of(&dealer.item("A", json!({})).await);

    for (good, version) in [("\"1\"", 2), ("*", 3), (" \"3\" ", 4)] {
        let reply = change(&dealer, &path, Some(good)).await.expect(200);

        assert_eq!(reply.json["version"], version, "{good}");
    }
}

#[actix_web::test]
async fn of_two_changes_of_one_version_exactly_one_is_made() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let path = path_of(&dealer.item("A", json!({})).await);

    for version in 1..=8 {
        let (one, two) = tokio::join!(
            dealer.patch(&path, version, json!({"name": "one"})),
            dealer.patch(&path, version, json!({"name": "two"})),
        );

        let mut statuses = [one.status.as_u16(), two.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 412]);
        let winner = if one.status == 200 { "one" } else { "two" };
        let now = dealer.get(&path).await.json;
        assert_eq!(
            (&now["name"], &now["version"]),
            (&json!(winner), &json!(version + 1))
        );
    }
}

#[actix_web::test]
async fn a_stale_answer_says_which_version_there_is() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let path = path_of(&dealer.item("A", json!({})).await);
    dealer
        .patch(&path, 1, json!({"name": "newer"}))
        .await
        .expect(200);

    let reply = dealer
        .patch(&path, 1, json!({"name": "late"}))
        .await
        .expect(412);

    assert_eq!(
        reply.json["detail"],
        "it is at version 2 by now; read it again"
    );
}

#[actix_web::test]
async fn groups_and_units_have_versions_too() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let bricks = group(&dealer, "Bricks", None).await;
    let bricks = format!("/item-groups/{}", bricks["id"].as_str().unwrap());

    for path in [bricks.as_str(), "/units/month"] {
        let read = dealer.get(path).await.expect(200);
        let first = dealer
            .patch(path, 1, json!({"name": "first"}))
            .await
            .expect(200);
        let stale = dealer
            .patch(path, 1, json!({"name": "second"}))
            .await
            .expect(412);
        let request = dealer
            .request(Method::DELETE, path)
            .header("if-match", "\"1\"");
        let stale_removal = dealer.send(request).await;

        assert_eq!(
            (read.header("etag"), first.header("etag")),
            ("\"1\"", "\"2\""),
            "{path}"
        );
        assert_eq!(stale.problem(), "precondition_failed");
        assert_eq!(stale_removal.problem(), "precondition_failed", "{path}");
        assert_eq!(dealer.get(path).await.json["name"], "first");
    }
}
