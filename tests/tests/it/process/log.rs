//! What the log tells of a request, and what it never tells.

use serde_json::{Value, json};
use tests::{Reply, Scratch, eventually};

use super::program::{PASSWORD, Program, TOKEN_SECRET};

#[actix_web::test]
async fn every_request_is_one_line_and_no_line_holds_a_secret() {
    let database = Scratch::with_dealers().await;
    let program = Program::start("api", &database, &[]).await;
    let acme = program.owner("acme").await;
    let bolt = program.owner("bolt").await;
    let guess = "a guessed password, wrong";
    let signed_in = acme.sign_in(&acme.email, PASSWORD).await.expect(200).json;
    let refresh = json!({"refresh_token": signed_in["refresh_token"]});
    let neighbour = acme.with_token(bolt.token.as_ref().unwrap());
    let requests = [
        (
            acme.get("/items?q=searched-for-words").await,
            "/api/v1/items",
        ),
        (acme.get("/items/not-an-id").await, "/api/v1/items/{id}"),
        (
            acme.sign_in(&acme.email, guess).await,
            "/api/v1/auth/sign-in",
        ),
        (
            acme.post("/auth/refresh", refresh.clone()).await,
            "/api/v1/auth/refresh",
        ),
        (
            acme.post("/auth/refresh", refresh).await,
            "/api/v1/auth/refresh",
        ),
        (
            acme.with_token("tbx.forged.token").get("/me").await,
            "/api/v1/me",
        ),
        (neighbour.get("/me").await, "/api/v1/me"),
        (acme.get("/").await, "/"),
    ];
    let nobody = acme.at("nobody.localhost").get("/me").await;

    let id = acme.get("/me").await.json["dealer"]["id"].clone();
    for (reply, route) in &requests {
        let line = line_of(&program, reply).await;
        assert_eq!(line["http.route"], *route, "{line}");
        assert_eq!(line["http.status"], reply.status.as_u16(), "{line}");
        assert_eq!(line["tenant.id"], id, "{line}");
        assert!(
            line["duration_ms"].is_u64() && line["timestamp"].is_string(),
            "{line}"
        );
    }
    assert_eq!(line_of(&program, &nobody).await["tenant.id"], Value::Null);

    let new_refresh = requests[3].0.json["refresh_token"].as_str().unwrap();
    let said = program.said().join("\n");
    for secret in [
        PASSWORD,
        guess,
        acme.token.as_ref().unwrap(),
        bolt.token.as_ref().unwrap(),
        signed_in["refresh_token"].as_str().unwrap(),
        new_refresh,
        "tbx.forged.token",
        database.secret(),
        TOKEN_SECRET,
        "argon2",
        "searched-for-words",
        &acme.email,
    ] {
        assert!(!said.contains(secret), "{secret} is in the log");
    }
    assert!(said.lines().all(|line| line.starts_with('{')), "{said}");
}

#[actix_web::test]
async fn a_failure_of_ours_is_an_error_with_its_cause_in_the_log_only() {
    let database = Scratch::with_dealers().await;
    let program = Program::start("api", &database, &[]).await;
    let acme = program.owner("acme").await;
    let schema = database.schema_of("acme").await;
    let break_it = format!("ALTER TABLE {schema}.item RENAME TO gone");
    sqlx::query(sqlx::AssertSqlSafe(break_it))
        .execute(&mut database.connect().await)
        .await
        .unwrap();

    let reply = acme.get("/items").await.expect(500);

    assert_eq!(reply.problem(), "internal");
    assert!(!reply.text().contains("item"), "{}", reply.text());
    let line = line_of(&program, &reply).await;
    assert_eq!(line["level"], "ERROR", "{line}");
    assert!(
        line["cause"]
            .as_str()
            .is_some_and(|cause| cause.contains("item")),
        "{line}"
    );
}

/// The one line that a request left.
async fn line_of(program: &Program, reply: &Reply) -> Value {
    let id = reply.header("x-request-id").to_owned();
    let mut lines = Vec::new();
    eventually("the request is in the log", async || {
        let events = program.events().into_iter();
        lines = events
            .filter(|event| event["request_id"] == id.as_str() && event["http.status"].is_u64())
            .collect();
        !lines.is_empty()
    })
    .await;
    assert_eq!(lines.len(), 1, "{lines:?}");
    lines.remove(0)
}
