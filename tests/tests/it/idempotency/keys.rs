//! What can be a key, who may use one, and what is kept under it.

use reqwest::Method;
use serde_json::json;
use sqlx::AssertSqlSafe;
use tests::{Dealer, TestApp};

use super::{item, items, number, post};
use crate::openapi::{document, operations};

#[actix_web::test]
async fn a_key_is_one_word_of_visible_ascii() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let long = "k".repeat(256);

    for key in ["", "\"\"", " ", "two words", "k\"k", long.as_str()] {
        let refused = post(&acme, "/items", key, &item("A")).await;
        assert_eq!(
            (refused.status.as_u16(), refused.problem()),
            (400, "idempotency_key_invalid"),
            "{key:?}"
        );
    }
    let two = acme
        .request(Method::POST, "/items")
        .header("idempotency-key", "a")
        .header("idempotency-key", "b")
        .json(&item("A"));
    let two = acme.send(two).await;
    assert_eq!(two.problem(), "idempotency_key_invalid");
    assert_eq!(items(&app).await, 0);

    post(&acme, "/items", &"k".repeat(255), &item("A"))
        .await
        .expect(201);
}

#[actix_web::test]
async fn strangers_name_no_requests() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let anybody = acme.signed_out();
    let body = json!({"email": acme.email, "password": acme.password});

    let first = post(&anybody, "/auth/sign-in", "k", &body)
        .await
        .expect(200);
    let second = post(&anybody, "/auth/sign-in", "k", &body)
        .await
        .expect(200);

    assert_ne!(first.json["refresh_token"], second.json["refresh_token"]);
    assert_eq!(second.header("idempotency-replayed"), "");
    assert_eq!(
        number(&app, "SELECT count(*) FROM {schema}.idempotency_key").await,
        0
    );
}

#[actix_web::test]
async fn the_document_offers_keys_where_they_are_taken() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let mut offered = 0;

    for operation in operations(&document(&acme).await) {
        let parameters = operation.says["parameters"].as_array().cloned();
        let offers = parameters.unwrap_or_default().iter().any(|one| {
            one["name"] == "Idempotency-Key" && one["in"] == "header" && one["required"] != true
        });
        let takes = operation.method == "post" && operation.is_secured();
        assert_eq!(offers, takes, "{}", operation.name());
        offered += u8::from(offers);
    }

    assert!(offered >= 5, "{offered}");
}

#[actix_web::test]
async fn what_is_kept_of_a_secret_answer_is_sealed_and_no_body_can_be_guessed() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;

    let told = post(&acme, "/me/second-factor/totp", "k", &json!({}))
        .await
        .expect(200);
    let again = post(&acme, "/me/second-factor/totp", "k", &json!({})).await;
    let created = post(&acme, "/items", "plain", &item("A")).await.expect(201);

    assert_eq!(again.body, told.body);
    assert_eq!(again.header("idempotency-replayed"), "true");
    let secret = told.json["secret"].as_str().unwrap();
    let kept = kept(&app, &acme).await;
    assert!(!kept.contains(&hex(secret.as_bytes())), "{kept}");
    assert!(kept.contains(&hex(&created.body)));
    // The plain digest of the body would let whoever reads the table try bodies.
    let plain: Vec<u8> = sqlx::query_scalar("SELECT sha256(convert_to($1, 'UTF8'))")
        .bind(item("A").to_string())
        .fetch_one(&mut app.database.connect().await)
        .await
        .unwrap();
    assert!(!kept.contains(&hex(&plain)));
}

async fn kept(app: &TestApp, dealer: &Dealer) -> String {
    let schema = app.database.schema_of(&dealer.slug).await;
    let sql = format!("SELECT string_agg(k::text, ' ') FROM {schema}.idempotency_key k");
    sqlx::query_scalar(AssertSqlSafe(sql))
        .fetch_one(&mut app.database.connect().await)
        .await
        .unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
