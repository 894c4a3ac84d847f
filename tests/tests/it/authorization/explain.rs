//! Why somebody may do something, or may not.

use serde_json::{Value, json};
use tests::{Actor, Reply, TestApp};
use uuid::Uuid;

use super::{id_of, member_with, only};

async fn explain(who: &Actor, question: &str) -> Reply {
    who.get(&format!("/permissions/explain?{question}")).await
}

fn condition(reply: &Reply, name: &str) -> Value {
    let conditions = reply.json["conditions"].as_array().unwrap();
    let found = conditions.iter().find(|one| one["condition"] == name);
    found.unwrap_or_else(|| panic!("{name}: {}", reply.text()))["met"].clone()
}

#[actix_web::test]
async fn everybody_learns_what_they_may_and_by_which_role() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let viewer = app.member(&dealer, "viewer").await;

    let may = explain(&viewer, "permission=item.read").await.expect(200);
    let may_not = explain(&viewer, "permission=item.write").await.expect(200);

    assert_eq!(may.json["allowed"], true);
    assert_eq!(may.json["role"], json!({"id": null, "name": "viewer"}));
    assert_eq!(may.json["scope"], "all");
    assert_eq!(may_not.json["allowed"], false);
    assert_eq!(may_not.json["scope"], Value::Null);
    assert_eq!(condition(&may_not, "role_allows"), false);
    let unknown = explain(&viewer, "permission=item.destroy").await;
    assert_eq!(unknown.problem(), "query_invalid");
}

#[actix_web::test]
async fn about_others_only_who_may_see_roles_is_told() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let viewer = app.member(&dealer, "viewer").await;
    let (owner, viewer_id) = (id_of(&dealer).await, id_of(&viewer).await);

    let refused = explain(&viewer, &format!("permission=item.read&member_id={owner}")).await;
    let told = explain(
        &dealer,
        &format!("permission=role.manage&member_id={viewer_id}"),
    )
    .await;
    let nobody = format!("permission=item.read&member_id={}", Uuid::now_v7());
    let nobody = explain(&dealer, &nobody).await;

    assert_eq!(refused.problem(), "permission_denied");
    assert_eq!(told.expect(200).json["allowed"], false);
    assert_eq!(nobody.problem(), "member_not_found");
}

#[actix_web::test]
async fn whose_things_it_reaches_over_is_part_of_the_answer() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let grants = json!([{"permission": "member.read", "scope": "team"}]);
    let (member, id) = member_with(&app, &dealer, "mate", grants).await;
    let owner = id_of(&dealer).await;
    let question = format!("permission=member.read&target_member_id={owner}");
    let question_of_id = format!("{question}&member_id={id}");

    let before = explain(&dealer, &question_of_id).await.expect(200);
    let own = format!("permission=member.read&target_member_id={id}");
    let over_oneself = explain(&member, &own).await.expect(200);
    let team = dealer
        .post("/teams", json!({"name": "Both"}))
        .await
        .expect(201);
    let team = team.json["id"].as_str().unwrap();
    for who in [owner, id] {
        let place = format!("/teams/{team}/members/{who}");
        let put = dealer.request(reqwest::Method::PUT, &place);
        dealer.send(put).await.expect(204);
    }
    let after = explain(&dealer, &question_of_id).await.expect(200);

    assert_eq!(before.json["allowed"], false);
    assert_eq!(condition(&before, "scope_reaches"), false);
    assert_eq!(condition(&over_oneself, "scope_reaches"), true);
    assert_eq!(after.json["allowed"], true, "{}", after.text());
}

#[actix_web::test]
async fn what_limits_a_key_a_proof_or_a_disabled_member_is_named() {
    let app = TestApp::start_with(&[("TUBEX_AUTH__ACCESS_MINUTES", "60")]).await;
    let dealer = app.dealer().await;
    let key = json!({"name": "Narrow", "permissions": ["item.read"]});
    let key = dealer.post("/api-keys", key).await.expect(201);
    let key = dealer.with_token(key.json["key"].as_str().unwrap());
    let (_, id) = member_with(&app, &dealer, "gone", only("item.read")).await;
    let schema = app.database.schema_of(&dealer.slug).await;
    app.sql(&format!(
        "UPDATE {schema}.member SET status = 'disabled' WHERE id = '{id}'"
    ))
    .await;

    let by_key = explain(&key, "permission=item.write").await.expect(200);
    let fresh = explain(&dealer, "permission=role.manage").await.expect(200);
    let disabled = format!("permission=item.read&member_id={id}");
    let disabled = explain(&dealer, &disabled).await.expect(200);
    app.advance(time::Duration::minutes(59));
    let stale = explain(&dealer, "permission=role.manage").await.expect(200);

    assert_eq!(condition(&by_key, "role_allows"), true);
    assert_eq!(condition(&by_key, "key_allows"), false);
    assert_eq!(by_key.json["allowed"], false);
    assert_eq!(fresh.json["allowed"], true);
    assert_eq!(condition(&disabled, "member_is_active"), false);
    assert_eq!(condition(&stale, "proof_is_recent"), false);
    assert_eq!(stale.json["allowed"], false);
}
