//! Proving who one is, and what is not told to who fails.

use std::time::{Duration, Instant};

use serde_json::json;
use tests::{Reply, TestApp};

use super::{Tokens, assert_refused, refresh};

#[actix_web::test]
async fn an_owner_signs_in_whatever_the_case_and_is_told_who_they_are() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let anybody = acme.signed_out();

    for email in [
        "owner@acme.example",
        "OWNER@Acme.Example",
        " owner@acme.example ",
    ] {
        let reply = anybody.sign_in(email, &acme.password).await.expect(200);
        assert_eq!(reply.json["token_type"], "Bearer");
        assert_eq!(reply.json["expires_in"], 900);
        let me = acme
            .with_token(&Tokens::in_reply(&reply).access)
            .get("/me")
            .await;
        assert_eq!(me.expect(200).json["email"], "owner@acme.example");
    }
    let me = acme.get("/me").await.json;
    assert_eq!(
        (&me["role"], &me["dealer"]["name"]),
        (&json!("owner"), &json!("Acme Baustoffe"))
    );
}

#[actix_web::test]
async fn who_fails_does_not_learn_why() {
    let app = TestApp::start().await;
    let dealer = app.new_dealer().await;
    app.member(&dealer, "viewer").await;
    let schema = app.database.schema_of(&dealer.slug).await;
    app.sql(&format!(
        "UPDATE {schema}.member SET status = 'disabled' WHERE role = 'viewer'"
    ))
    .await;
    let disabled = format!("viewer@{}.example", dealer.slug);
    let anybody = dealer.signed_out();

    let replies = [
        anybody.sign_in(&dealer.email, "a wrong password").await,
        anybody
            .sign_in("nobody@there.example", &dealer.password)
            .await,
        anybody.sign_in("", &dealer.password).await,
        anybody.sign_in(&disabled, &dealer.password).await,
        anybody.sign_in(&dealer.email, &"x".repeat(5000)).await,
        anybody.sign_in(&dealer.email, "").await,
        anybody
            .sign_in(&dealer.email, &format!("{} ", dealer.password))
            .await,
    ];

    for (number, reply) in replies
        .iter()
        .enumerate()
        .filter(|(number, _)| *number != 2)
    {
        assert_refused(reply, "credentials_wrong");
        assert_eq!(without_id(reply), without_id(&replies[0]), "{number}");
    }
    assert_eq!(
        replies[2].status, 422,
        "an empty address breaks a rule of the body"
    );
}

/// Both check a hash. The limit is generous: without the check it is a hundredfold.
#[actix_web::test]
async fn an_unknown_address_takes_as_long_as_a_wrong_password() {
    let app = TestApp::start_with(&[("TUBEX_REDIS__URL", "")]).await;
    let acme = app.dealer().await;
    let anybody = acme.signed_out();
    let mut took = [Vec::new(), Vec::new()];

    for _ in 0..5 {
        for (email, took) in [acme.email.as_str(), "nobody@acme.example"]
            .iter()
            .zip(&mut took)
        {
            let started = Instant::now();
            anybody.sign_in(email, "a wrong password").await.expect(401);
            took.push(started.elapsed());
        }
    }

    let [known, unknown] = took.map(median);
    assert!(
        unknown * 3 > known,
        "{unknown:?} for nobody, {known:?} for somebody"
    );
    assert!(
        known * 3 > unknown,
        "{unknown:?} for nobody, {known:?} for somebody"
    );
}

#[actix_web::test]
async fn no_answer_ever_holds_a_hash_or_a_password() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let tokens = Tokens::of(&acme).await;
    let replies = [
        acme.sign_in(&acme.email, &acme.password).await,
        acme.sign_in(&acme.email, "hunter2hunter2").await,
        acme.post(
            "/auth/sign-in",
            json!({"email": 1, "password": "hunter2hunter2"}),
        )
        .await,
        acme.post(
            "/auth/sign-in",
            json!({"email": "a", "password": ["hunter2hunter2"]}),
        )
        .await,
        acme.post("/auth/sign-in", json!({"passwort": "hunter2hunter2"}))
            .await,
        acme.get("/me").await,
        refresh(&acme, &tokens.refresh).await,
    ];

    for reply in replies {
        let seen = format!("{:?} {}", reply.headers, reply.text());
        for secret in ["argon2", "password_hash", "hunter2hunter2", &acme.password] {
            assert!(!seen.contains(secret), "{secret} in {seen}");
        }
    }
}

#[actix_web::test]
async fn what_is_stored_is_no_token() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let tokens = Tokens::of(&acme).await;
    let schema = app.database.schema_of("acme").await;

    let stored = format!(
        "SELECT string_agg(encode(hash, 'escape') || encode(hash, 'hex') || session_id, ' ')
         FROM {schema}.refresh_token"
    );
    let stored: String = sqlx::query_scalar(sqlx::AssertSqlSafe(stored))
        .fetch_one(&mut app.database.connect().await)
        .await
        .unwrap();

    assert!(!stored.contains(&tokens.refresh));
    assert!(!stored.contains(tokens.refresh.trim_start_matches("tbxr_")));
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn without_id(reply: &Reply) -> serde_json::Value {
    let mut body = reply.json.clone();
    body.as_object_mut()
        .expect("a problem")
        .remove("request_id");
    body
}
