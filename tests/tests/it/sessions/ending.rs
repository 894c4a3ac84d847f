//! What ends a session, for whom, and how soon.

use std::sync::Arc;

use serde_json::json;
use tests::{Scratch, TestApp, eventually};

use super::{Tokens, assert_refused, refresh};

#[actix_web::test]
async fn a_replaced_refresh_token_that_turns_up_again_ends_its_session() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let first = Tokens::of(&acme).await;
    let second = Tokens::in_reply(&refresh(&acme, &first.refresh).await);
    acme.with_token(&second.access).get("/me").await.expect(200);
    app.advance(::time::Duration::seconds(11));

    let reused = refresh(&acme, &first.refresh).await;

    assert_refused(&reused, "refresh_token_invalid");
    assert_refused(
        &refresh(&acme, &second.refresh).await,
        "refresh_token_invalid",
    );
    for token in [&first.access, &second.access] {
        assert_refused(&acme.with_token(token).get("/me").await, "unauthenticated");
    }
    app.recorded("refresh_token_reused", &acme, 1).await;
    acme.get("/me").await.expect(200); // another session of the same member
}

#[actix_web::test]
async fn signing_out_ends_access_and_refresh_at_once() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let tokens = Tokens::of(&acme).await;
    let here = acme.with_token(&tokens.access);
    here.get("/me").await.expect(200);

    here.post("/auth/sign-out", json!({})).await.expect(204);

    assert_refused(&here.get("/me").await, "unauthenticated");
    assert_refused(
        &refresh(&acme, &tokens.refresh).await,
        "refresh_token_invalid",
    );
    let again = here.post("/auth/sign-out", json!({})).await;
    assert_refused(&again, "unauthenticated");
    acme.get("/me").await.expect(200); // another session of the same member
}

#[actix_web::test]
async fn signing_out_is_soon_known_to_other_processes() {
    let database = Arc::new(Scratch::with_dealers().await);
    let (here, there) = (
        TestApp::start_on(database.clone(), &[]).await,
        TestApp::start_on(database, &[]).await,
    );
    let acme = here.dealer().await;
    let token = acme.token.as_ref().unwrap();
    let elsewhere = there.stranger("acme.localhost").with_token(token);
    elsewhere.get("/me").await.expect(200);

    acme.post("/auth/sign-out", json!({})).await.expect(204);

    eventually("the other process knows", async || {
        elsewhere.get("/me").await.status == 401
    })
    .await;
}

#[actix_web::test]
async fn a_disabled_member_is_out() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let tokens = Tokens::of(&acme).await;
    let schema = app.database.schema_of("acme").await;

    let disable = format!("UPDATE {schema}.member SET status = 'disabled'");
    app.sql_on_access(&schema, &disable).await;

    eventually("the member is out", async || {
        acme.get("/me").await.status == 401
    })
    .await;
    assert_refused(
        &refresh(&acme, &tokens.refresh).await,
        "refresh_token_invalid",
    );
}

#[actix_web::test]
async fn a_raised_token_version_voids_what_was_issued_and_a_refresh_brings_it_back() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let tokens = Tokens::of(&acme).await;
    let schema = app.database.schema_of("acme").await;

    let raise = format!("UPDATE {schema}.member SET token_version = token_version + 1");
    app.sql_on_access(&schema, &raise).await;

    eventually("the tokens are void", async || {
        acme.get("/me").await.status == 401
    })
    .await;
    let renewed = Tokens::in_reply(&refresh(&acme, &tokens.refresh).await);
    acme.with_token(&renewed.access)
        .get("/me")
        .await
        .expect(200);
}

#[actix_web::test]
async fn a_role_allows_what_it_allows_and_a_change_of_role_is_soon_known() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let viewer = app.member(&acme, "viewer").await;
    let item = acme.item("KEPT", json!({})).await;
    let path = format!("/items/{}", item["id"].as_str().unwrap());

    let refused = [
        viewer
            .post(
                "/items",
                json!({"sku": "X", "name": "X", "base_unit": "pcs"}),
            )
            .await,
        viewer.patch(&path, 1, json!({"name": "Changed"})).await,
        viewer.delete(&path).await,
        viewer.post(&format!("{path}/restore"), json!({})).await,
        viewer.post("/item-groups", json!({"name": "X"})).await,
        viewer.send_file("", "SKU;Name;Price\nX;X;1\n").await,
    ];

    for reply in refused {
        let seen = (reply.status.as_u16(), reply.problem());
        assert_eq!(seen, (403, "permission_denied"), "{}", reply.text());
    }
    assert_eq!(viewer.get(&path).await.expect(200).header("etag"), "\"1\"");
    let schema = app.database.schema_of("acme").await;
    let promote = format!("UPDATE {schema}.member SET role = 'buyer' WHERE role = 'viewer'");
    app.sql_on_access(&schema, &promote).await;
    eventually("the new role is known", async || {
        viewer
            .post("/item-groups", json!({"name": "Theirs"}))
            .await
            .status
            == 201
    })
    .await;
}
