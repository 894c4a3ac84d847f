//! Every way to go wrong, and what is answered.

use std::collections::HashSet;

use reqwest::Method;
use reqwest::multipart::Form;
use serde_json::json;
use server::http::Code;
use tests::TestApp;

use super::assert_problem;

/// A good body, and something behind it.
const SURPLUS: &str = r#"{"sku": "X", "name": "x", "base_unit": "pcs"} {}"#;

#[actix_web::test]
async fn every_error_is_a_problem_with_its_code_and_its_request_id() {
    let app = TestApp::start_with(&[("TUBEX_HTTP__BODY_LIMIT_KIB", "1")]).await;
    let (dealer, neighbour) = (app.dealer().await, app.dealer().await);
    let viewer = app.member(&dealer, "viewer").await;
    let item = dealer.item("TAKEN", json!({})).await;
    let item = format!("/items/{}", item["id"].as_str().unwrap());
    let good = json!({"sku": "X", "name": "x", "base_unit": "pcs"});
    let raw = |kind: &'static str, body: &'static str| {
        dealer.send(
            dealer
                .request(Method::POST, "/items")
                .header("content-type", kind)
                .body(body),
        )
    };
    let large = "x".repeat(2_000);
    let of_neighbour = dealer.with_token(neighbour.token.as_deref().unwrap());

    for (reply, status, code) in [
        (dealer.get("/nowhere").await, 404, "not_found"),
        (dealer.get("/api/nowhere").await, 404, "not_found"),
        (dealer.get("/items/not-an-id").await, 404, "not_found"),
        (
            dealer
                .get("/items/01890000-0000-7000-8000-000000000000")
                .await,
            404,
            "item_not_found",
        ),
        (
            dealer.send(dealer.request(Method::PUT, "/items")).await,
            405,
            "method_not_allowed",
        ),
        (
            dealer.send(dealer.request(Method::POST, &item)).await,
            405,
            "method_not_allowed",
        ),
        (
            raw("application/json", "{\"sku\": ").await,
            400,
            "body_invalid",
        ),
        (raw("application/json", "").await, 400, "body_invalid"),
        (raw("application/json", SURPLUS).await, 400, "body_invalid"),
        (
            raw("application/json", "{\"sku\": \"\\ud800\"}").await,
            400,
            "body_invalid",
        ),
        (raw("text/plain", "{}").await, 415, "media_type_unsupported"),
        (
            raw("application/x-www-form-urlencoded", "sku=A").await,
            415,
            "media_type_unsupported",
        ),
        (
            dealer.send(dealer.request(Method::POST, "/items")).await,
            415,
            "media_type_unsupported",
        ),
        (
            dealer.post("/items", json!({"sku": large})).await,
            413,
            "body_too_large",
        ),
        (dealer.get("/items?limit=no").await, 400, "query_invalid"),
        (dealer.get("/items?cursor=no").await, 400, "cursor_invalid"),
        (
            dealer.post("/items", json!({})).await,
            422,
            "fields_invalid",
        ),
        (
            dealer.post("/items", json!([])).await,
            422,
            "fields_invalid",
        ),
        (
            dealer
                .post("/items", json!(["Y", "y", "", null, "pcs"]))
                .await,
            422,
            "fields_invalid",
        ),
        (
            dealer.post("/items", json!(null)).await,
            422,
            "fields_invalid",
        ),
        (
            dealer.post("/items", json!("text")).await,
            422,
            "fields_invalid",
        ),
        (
            dealer
                .post(
                    "/items",
                    json!({"sku": "TAKEN", "name": "x", "base_unit": "pcs"}),
                )
                .await,
            409,
            "sku_taken",
        ),
        (
            dealer.patch(&item, 9, json!({})).await,
            412,
            "precondition_failed",
        ),
        (
            dealer
                .send(dealer.request(Method::PATCH, &item).json(&json!({})))
                .await,
            428,
            "precondition_required",
        ),
        (
            dealer.signed_out().get("/items").await,
            401,
            "unauthenticated",
        ),
        (
            dealer.with_token("garbage").get("/items").await,
            401,
            "unauthenticated",
        ),
        (
            dealer.sign_in(&dealer.email, "wrong").await,
            401,
            "credentials_wrong",
        ),
        (
            dealer
                .post("/auth/refresh", json!({"refresh_token": "x"}))
                .await,
            401,
            "refresh_token_invalid",
        ),
        (
            viewer.post("/items", good.clone()).await,
            403,
            "permission_denied",
        ),
        (of_neighbour.get("/items").await, 403, "tenant_mismatch"),
        (
            dealer.send_form("", Form::new()).await,
            400,
            "upload_invalid",
        ),
    ] {
        assert_problem(&reply, status, code);
    }
}

#[actix_web::test]
async fn headers_say_what_a_status_promises() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;

    let unsigned = dealer.signed_out().get("/items").await;
    let put = dealer.send(dealer.request(Method::PUT, "/items")).await;

    assert_eq!(unsigned.header("www-authenticate"), "Bearer");
    assert_eq!(put.header("allow"), "GET, POST");
}

#[actix_web::test]
async fn each_request_has_an_id_of_its_own_which_the_client_can_not_choose() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;

    let mut ids = HashSet::new();
    for _ in 0..5 {
        let request = dealer
            .request(Method::GET, "/units")
            .header("x-request-id", "mine");
        let reply = dealer.send(request).await.expect(200);
        ids.insert(reply.header("x-request-id").to_owned());
    }

    assert_eq!(ids.len(), 5);
    assert!(!ids.contains("mine"));
}

#[actix_web::test]
async fn every_code_is_explained_and_every_type_leads_there() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;

    let page = dealer.get("/problems").await.expect(200);

    assert!(page.header("content-type").starts_with("text/html"));
    let html = page.text();
    for code in Code::ALL {
        assert!(html.contains(code.slug()), "{}", code.slug());
        let title = code.title().replace('\'', "&#39;");
        assert!(html.contains(&title), "{title}");
        assert_eq!(code.uri(), format!("/problems/{}", code.slug()));
        dealer.signed_out().get(&code.uri()).await.expect(200);
    }
}

/// Whoever has no token learns nothing about what a body or an address should look like.
#[actix_web::test]
async fn a_stranger_is_told_to_sign_in_before_anything_else() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let stranger = dealer.signed_out();

    let replies = [
        stranger.post("/items", json!({"colour": "red"})).await,
        stranger.get("/items/not-an-id").await,
        stranger.get("/items?colour=red").await,
        stranger.patch("/units/pcs", 1, json!([])).await,
        stranger
            .send(stranger.request(Method::DELETE, "/units/pcs"))
            .await,
        stranger.send_file("colour=red", "").await,
    ];

    for reply in replies {
        assert_problem(&reply, 401, "unauthenticated");
    }
}
