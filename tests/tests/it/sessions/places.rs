//! Where people are signed in: shown to them and to those who look after them, and ended by either.

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Actor, Dealer, TestApp};
use uuid::Uuid;

use super::{Tokens, assert_refused, refresh};

async fn sign_in_as(dealer: &Dealer, agent: &str) -> Tokens {
    let anybody = dealer.signed_out();
    let request = anybody
        .request(Method::POST, "/auth/sign-in")
        .header("user-agent", agent)
        .json(&json!({"email": dealer.email, "password": dealer.password}));
    Tokens::in_reply(&anybody.send(request).await)
}

async fn sessions_of(who: &Actor, path: &str) -> Vec<Value> {
    let reply = who.get(path).await.expect(200);
    reply.json["data"].as_array().unwrap().clone()
}

fn id_of(session: &Value) -> &str {
    session["id"].as_str().unwrap()
}

#[actix_web::test]
async fn people_see_where_they_are_signed_in_and_end_what_is_not_theirs_any_more() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let phone = sign_in_as(&acme, "A phone").await;
    let on_phone = acme.with_token(&phone.access);

    let seen = sessions_of(&acme, "/me/sessions").await;
    let lost = seen
        .iter()
        .find(|it| it["user_agent"] == "A phone")
        .unwrap();

    assert_eq!(
        (lost["is_current"].clone(), lost["method"].clone()),
        (json!(false), json!("password"))
    );
    assert_eq!(lost["address"], "127.0.0.1");
    assert_eq!(lost["client"], "bearer");
    assert_eq!(seen.iter().filter(|it| it["is_current"] == true).count(), 1);
    let path = format!("/me/sessions/{}", id_of(lost));
    acme.delete(&path).await.expect(204);
    assert_refused(&on_phone.get("/me").await, "unauthenticated");
    assert_refused(
        &refresh(&acme, &phone.refresh).await,
        "refresh_token_invalid",
    );
    let again = acme.delete(&path).await.expect(404);
    assert_eq!(again.problem(), "session_not_found");
    assert_eq!(
        sessions_of(&acme, "/me/sessions").await.len(),
        seen.len() - 1
    );
}

#[actix_web::test]
async fn nobody_ends_a_colleagues_session_as_their_own() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let viewer = app.member(&acme, "viewer").await;
    let owners = sessions_of(&acme, "/me/sessions").await;

    let path = format!("/me/sessions/{}", id_of(&owners[0]));
    let refused = viewer.delete(&path).await.expect(404);

    assert_eq!(refused.problem(), "session_not_found");
    acme.get("/me").await.expect(200);
}

#[actix_web::test]
async fn all_others_are_ended_at_once_and_the_one_that_asks_stays() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let others = [
        sign_in_as(&acme, "One").await,
        sign_in_as(&acme, "Two").await,
    ];
    for other in &others {
        acme.with_token(&other.access).get("/me").await.expect(200);
    }

    let ended = acme.post("/me/sessions/end-others", json!({})).await;

    assert_eq!(ended.expect(200).json["ended"], 2);
    for other in &others {
        let there = acme.with_token(&other.access);
        assert_refused(&there.get("/me").await, "unauthenticated");
        assert_refused(
            &refresh(&acme, &other.refresh).await,
            "refresh_token_invalid",
        );
    }
    assert_eq!(sessions_of(&acme, "/me/sessions").await.len(), 1);
}

#[actix_web::test]
async fn a_manager_ends_sessions_within_their_branch_and_sees_nobody_beyond_it() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let schema = app.database.schema_of("acme").await;
    let (manager, sales, viewer) = (
        app.member(&acme, "branch_manager").await,
        app.member(&acme, "sales").await,
        app.member(&acme, "viewer").await,
    );
    let branch = Uuid::now_v7();
    let assign = format!(
        "INSERT INTO {schema}.branch (id, name, created_at, updated_at)
         VALUES ('{branch}', 'North', now(), now());
         UPDATE {schema}.member SET branch_id = '{branch}'
         WHERE role IN ('branch_manager', 'sales')"
    );
    app.sql_on_access(&schema, &assign).await;
    tests::eventually("the manager is in the branch", async || {
        let id = person(&sales).await;
        let seen = manager.get(&format!("/members/{id}/sessions")).await;
        seen.status == 200
    })
    .await;
    let theirs = format!("/members/{}/sessions", person(&sales).await);
    let beyond = format!("/members/{}/sessions", person(&viewer).await);

    assert_eq!(sessions_of(&manager, &theirs).await.len(), 1);
    let ended = manager.delete(&theirs).await.expect(200);
    let unseen = [manager.get(&beyond).await, manager.delete(&beyond).await];

    assert_eq!(ended.json["ended"], 1);
    assert_refused(&sales.get("/me").await, "unauthenticated");
    for reply in unseen {
        assert_eq!(
            (reply.status.as_u16(), reply.problem()),
            (404, "member_not_found")
        );
    }
    viewer.get("/me").await.expect(200);
    assert_eq!(sales.get(&theirs).await.status, 401);
    assert_eq!(viewer.get(&theirs).await.problem(), "permission_denied");
    assert_eq!(sessions_of(&acme, &beyond).await.len(), 1);
}

#[actix_web::test]
async fn voiding_all_tokens_signs_everybody_out_and_must_be_meant() {
    let app = TestApp::start().await;
    let (acme, bolt) = (app.dealer().await, app.dealer().await);
    let viewer = app.member(&acme, "viewer").await;
    let tokens = Tokens::of(&acme).await;
    let path = "/security/void-all-tokens";

    let unmeant = acme
        .post(path, json!({"confirm": "bolt"}))
        .await
        .expect(422);
    acme.get("/me").await.expect(200);
    let voided = acme
        .post(path, json!({"confirm": "acme"}))
        .await
        .expect(200);

    assert_eq!(
        unmeant.json["errors"][0]["pointer"],
        "/confirm",
        "{}",
        unmeant.text()
    );
    assert!(voided.json["ended"].as_i64().unwrap() >= 3);
    for who in [&*acme, &viewer, &acme.with_token(&tokens.access)] {
        assert_refused(&who.get("/me").await, "unauthenticated");
    }
    assert_refused(
        &refresh(&acme, &tokens.refresh).await,
        "refresh_token_invalid",
    );
    bolt.get("/me").await.expect(200);
    let again = Tokens::of(&acme).await;
    acme.with_token(&again.access).get("/me").await.expect(200);
}

async fn person(who: &Actor) -> String {
    let me = who.get("/me").await.expect(200);
    me.json["id"].as_str().unwrap().to_owned()
}
