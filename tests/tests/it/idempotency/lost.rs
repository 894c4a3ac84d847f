//! Answers that never came: the client asks again, and learns what was done.

use std::sync::Arc;

use tests::{Scratch, ServerProcess, TestApp, Wire};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::{item, items, post};

#[actix_web::test]
async fn a_server_that_is_killed_between_the_effect_and_the_answer_answers_when_it_is_back() {
    let database = Arc::new(Scratch::with_dealers().await);
    let app = TestApp::start_on(database.clone(), &[]).await;
    let acme = app.dealer().await;
    let wire = Wire::to(&database).await;
    let keys = [("TUBEX_DATABASE__URL", wire.url())];
    let mut server = ServerProcess::start(&database, &keys, "no such word").await;
    let there = server.stranger("acme.localhost");
    let there = there.with_token(acme.token.as_deref().unwrap());
    there.get("/me").await.expect(200);

    wire.hold_after("COMMIT");
    let (asking, body) = (there.clone(), item("A"));
    let request = asking
        .request(reqwest::Method::POST, "/items")
        .header("idempotency-key", "k")
        .json(&body);
    let never_answered = actix_web::rt::spawn(async move { request.send().await.is_err() });
    tests::eventually("the effect is there", async || items(&app).await == 1).await;
    server.kill();
    assert!(never_answered.await.unwrap());
    wire.mend();
    server.start_again().await;
    let again = post(&there, "/items", "k", &body).await.expect(201);

    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.json["sku"], "A");
    assert_eq!(items(&app).await, 1);
}

#[actix_web::test]
async fn a_client_that_hung_up_learns_what_was_done() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let address = app.base().strip_prefix("http://").unwrap().to_owned();
    let (body, token) = (item("A").to_string(), acme.token.clone().unwrap());
    let request = format!(
        "POST /api/v1/items HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\nidempotency-key: k\r\ncontent-length: {}\r\n\r\n{body}",
        acme.host,
        body.len()
    );

    let mut line = TcpStream::connect(address).await.unwrap();
    line.write_all(request.as_bytes()).await.unwrap();
    tests::eventually("the effect is there", async || items(&app).await == 1).await;
    drop(line);

    let again = acme.request(reqwest::Method::POST, "/items");
    let again = again
        .header("idempotency-key", "k")
        .header("content-type", "application/json")
        .body(body);
    let again = acme.send(again).await.expect(201);
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(items(&app).await, 1);
}
