//! Roles that must have a second factor.

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Actor, Reply, TestApp, eventually};

use super::{Phone, assert_problem};

async fn put(who: &Actor, version: &str, body: Value) -> Reply {
    let request = who.request(Method::PUT, "/settings/security");
    who.send(request.header("if-match", version).json(&body))
        .await
}

#[actix_web::test]
async fn who_must_have_a_second_factor_can_do_nothing_but_set_one_up() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let admin = app.member(&acme, "admin").await;
    let sales = app.member(&acme, "sales").await;
    let roles = json!({ "second_factor_roles": ["admin"] });

    put(&acme, "\"0\"", roles).await.expect(200);
    eventually("the session that is there is held to it", async || {
        admin.get("/items").await.problem() == "second_factor_missing"
    })
    .await;
    let anybody = admin.signed_out();
    let anew = anybody
        .sign_in("admin@acme.example", &acme.password)
        .await
        .expect(200);
    let anew = anybody.with_token(anew.json["access_token"].as_str().unwrap());
    let refused = anew.get("/items").await;
    let standing = anew.get("/me/second-factor").await.expect(200);

    assert_problem(&refused, 403, "second_factor_missing");
    assert_eq!(standing.json["must_enrol"], true);
    anew.get("/me").await.expect(200);
    sales.get("/items").await.expect(200);
    Phone::of(&app, &anew).await;
    anew.get("/items").await.expect(200);
    eventually("their other session opens, too", async || {
        admin.get("/items").await.status == 200
    })
    .await;
    let standing = anew.get("/me/second-factor").await.expect(200);
    assert_eq!(standing.json["must_enrol"], false);
}

#[actix_web::test]
async fn the_policy_has_versions_and_knows_its_roles() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let roles = json!({ "second_factor_roles": ["viewer"] });

    let at_first = acme.get("/settings/security").await.expect(200);
    let unknown = put(&acme, "\"0\"", json!({ "second_factor_roles": ["king"] })).await;
    let request = acme.request(Method::PUT, "/settings/security").json(&roles);
    let blind = acme.send(request).await;
    let said = put(&acme, "\"0\"", roles.clone()).await.expect(200);
    let stale = put(&acme, "\"0\"", roles.clone()).await;

    assert_eq!(at_first.header("etag"), "\"0\"");
    assert_eq!(at_first.json["second_factor_roles"], json!([]));
    assert_problem(&unknown, 422, "fields_invalid");
    assert_problem(&blind, 428, "precondition_required");
    assert_eq!(said.header("etag"), "\"1\"");
    assert_problem(&stale, 412, "precondition_failed");
    put(&acme, "\"1\"", roles).await.expect(200);
    let now = acme.get("/settings/security").await.expect(200);
    assert_eq!(now.header("etag"), "\"2\"");
}
