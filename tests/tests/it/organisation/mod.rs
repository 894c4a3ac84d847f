//! Branches and teams.

use reqwest::Method;
use serde_json::json;
use tests::{Actor, Reply, TestApp};
use uuid::Uuid;

async fn made(dealer: &Actor, path: &str, body: serde_json::Value) -> String {
    let made = dealer.post(path, body).await.expect(201);
    made.json["id"].as_str().unwrap().to_owned()
}

async fn put(dealer: &Actor, path: &str) -> Reply {
    dealer.send(dealer.request(Method::PUT, path)).await
}

#[actix_web::test]
async fn a_branch_is_made_read_renamed_and_removed() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;

    let id = made(&dealer, "/branches", json!({"name": " Harbour "})).await;
    let path = format!("/branches/{id}");
    let read = dealer.get(&path).await.expect(200);
    let renamed = dealer
        .patch(&path, 1, json!({"name": "Quay"}))
        .await
        .expect(200);
    let listed = dealer.get("/branches").await.expect(200);

    assert_eq!(read.json["name"], "Harbour");
    assert_eq!(read.header("etag"), "\"1\"");
    assert_eq!(renamed.json["version"], 2);
    assert_eq!(listed.json["data"], json!([renamed.json]));
    let stale = dealer.patch(&path, 1, json!({"name": "Late"})).await;
    assert_eq!(stale.problem(), "precondition_failed");
    let without = dealer.send(dealer.request(Method::DELETE, &path)).await;
    assert_eq!(without.problem(), "precondition_required");
    dealer.delete(&path).await.expect(204);
    assert_eq!(dealer.get(&path).await.problem(), "branch_not_found");
}

#[actix_web::test]
async fn names_are_had_once() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;

    for (path, problem) in [
        ("/branches", "branch_name_taken"),
        ("/teams", "team_name_taken"),
    ] {
        let first = made(&dealer, path, json!({"name": "One"})).await;
        made(&dealer, path, json!({"name": "Two"})).await;
        let again = dealer.post(path, json!({"name": "One"})).await;
        let renamed = format!("{path}/{first}");
        let renamed = dealer.patch(&renamed, 1, json!({"name": "Two"})).await;

        assert_eq!((again.status.as_u16(), again.problem()), (409, problem));
        assert_eq!(renamed.problem(), problem);
    }
}

#[actix_web::test]
async fn a_branch_with_teams_or_people_stays() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let with_team = made(&dealer, "/branches", json!({"name": "With a team"})).await;
    let team = json!({"name": "Team", "branch_id": with_team});
    let team = made(&dealer, "/teams", team).await;
    let with_people = made(&dealer, "/branches", json!({"name": "With people"})).await;
    let schema = app.database.schema_of(&dealer.slug).await;
    app.sql(&format!(
        "UPDATE {schema}.member SET branch_id = '{with_people}'"
    ))
    .await;

    for branch in [&with_team, &with_people] {
        let refused = dealer.delete(&format!("/branches/{branch}")).await;
        assert_eq!(
            (refused.status.as_u16(), refused.problem()),
            (409, "branch_in_use")
        );
    }

    let moved = json!({"branch_id": null});
    dealer
        .patch(&format!("/teams/{team}"), 1, moved)
        .await
        .expect(200);
    dealer
        .delete(&format!("/branches/{with_team}"))
        .await
        .expect(204);
}

#[actix_web::test]
async fn a_team_has_members_and_a_branch_that_is_there() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let me = dealer.get("/me").await.expect(200).json["id"].clone();
    let me = me.as_str().unwrap();
    let team = made(&dealer, "/teams", json!({"name": "Counter"})).await;
    let members = format!("/teams/{team}/members");
    let place = format!("{members}/{me}");

    put(&dealer, &place).await.expect(204);
    put(&dealer, &place).await.expect(204);
    let listed = dealer.get(&members).await.expect(200);
    let stranger = put(&dealer, &format!("{members}/{}", Uuid::now_v7())).await;
    let nowhere = format!("/teams/{}/members/{me}", Uuid::now_v7());
    let nowhere = put(&dealer, &nowhere).await;
    let homeless = json!({"name": "Lost", "branch_id": Uuid::now_v7()});
    let homeless = dealer.post("/teams", homeless).await.expect(422);

    let rows = listed.json["data"].as_array().unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["member_id"], me);
    assert_eq!(stranger.problem(), "member_not_found");
    assert_eq!(nowhere.problem(), "team_not_found");
    assert_eq!(homeless.json["errors"][0]["pointer"], "/branch_id");
    dealer.delete(&place).await.expect(204);
    assert_eq!(dealer.delete(&place).await.problem(), "member_not_found");
    put(&dealer, &place).await.expect(204);
    dealer.delete(&format!("/teams/{team}")).await.expect(204);
    assert_eq!(dealer.get(&members).await.problem(), "team_not_found");
}
