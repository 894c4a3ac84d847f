//! Requests that mean harm at the layer of HTTP.

use reqwest::Method;
use serde_json::json;
use tests::{Dealer, TestApp};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{connect, raw, status_of};

async fn posted(dealer: &Dealer, body: String) -> tests::Reply {
    let request = dealer.request(Method::POST, "/items");
    let request = request.header("content-type", "application/json");
    dealer.send(request.body(body)).await
}

#[actix_web::test]
async fn json_nested_however_deep_is_refused_and_harms_nobody() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;

    for depth in [127, 128, 1_000, 200_000] {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let inner = if open == "[" { "" } else { "0" };
            let deep = format!("{}{inner}{}", open.repeat(depth), close.repeat(depth));
            let body = format!(
                "{{\"sku\": \"X\", \"name\": \"x\", \"base_unit\": \"pcs\", \"custom\": {{\"a\": {deep}}}}}"
            );
            let reply = posted(&acme, body).await;
            let status = reply.status.as_u16();
            assert!((400..500).contains(&status), "{depth}: {}", reply.text());
            assert!(!reply.problem().is_empty(), "{depth}: {}", reply.text());
        }
        let unclosed = posted(&acme, "[".repeat(depth)).await;
        assert!(unclosed.status.is_client_error(), "{depth}");
    }
    acme.get("/items").await.expect(200);
}

#[actix_web::test]
async fn a_body_beyond_the_limit_is_refused_whatever_it_says_of_its_length() {
    let app = TestApp::start_with(&[("TUBEX_HTTP__BODY_LIMIT_KIB", "4")]).await;
    let acme = app.dealer().await;
    let token = acme.token.as_deref().unwrap();
    let head = format!(
        "POST /api/v1/items HTTP/1.1\r\nHost: acme.localhost\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nConnection: close\r\n"
    );
    let large = format!("{{\"sku\": \"{}\"}}", "x".repeat(8_000));
    let told = format!("{head}Content-Length: {}\r\n\r\n{large}", large.len());
    let in_chunks = format!(
        "{head}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{large}\r\n0\r\n\r\n",
        large.len()
    );

    assert_eq!(status_of(&raw(&app, &told).await), 413);
    assert_eq!(status_of(&raw(&app, &in_chunks).await), 413);
    // Two lengths, or a length and chunks, are two different requests to two readers.
    let two = format!("{head}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{{}} ");
    assert_eq!(status_of(&raw(&app, &two).await), 400);
    let both =
        format!("{head}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{{}}");
    let status = status_of(&raw(&app, &both).await);
    assert!((400..500).contains(&status), "{status}");
    acme.get("/items").await.expect(200);
}

#[actix_web::test]
async fn a_body_that_trickles_is_cut_off() {
    let app = TestApp::start_with(&[("TUBEX_HTTP__BODY_TIMEOUT_MS", "300")]).await;
    let acme = app.dealer().await;
    let token = acme.token.as_deref().unwrap();
    let head = format!(
        "POST /api/v1/items HTTP/1.1\r\nHost: acme.localhost\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{{"
    );
    let mut stream = connect(&app).await;
    stream.write_all(head.as_bytes()).await.unwrap();

    let mut answer = vec![0; 4_096];
    let length = stream.read(&mut answer).await.unwrap();

    let answer = String::from_utf8_lossy(&answer[..length]).into_owned();
    assert_eq!(status_of(&answer), 408, "{answer}");
    assert!(answer.contains("/problems/body-too-slow"), "{answer}");
    acme.get("/items").await.expect(200);
}

/// Slow readers of heads, too: none keeps a place for ever, and none keeps it from others.
#[actix_web::test]
async fn many_connections_that_say_nothing_keep_nobody_out() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let mut idle = Vec::new();
    for _ in 0..200 {
        let mut stream = connect(&app).await;
        stream
            .write_all(b"GET / HTTP/1.1\r\nHost: acme")
            .await
            .unwrap();
        idle.push(stream);
    }

    for _ in 0..5 {
        acme.get("/items").await.expect(200);
    }
    assert_eq!(idle.len(), 200);
}

#[actix_web::test]
async fn a_dealer_named_twice_or_sideways_is_nobody_and_never_another() {
    let app = TestApp::start().await;
    let (acme, bolt) = (app.dealer().await, app.dealer().await);
    acme.item("OURS", json!({})).await;
    bolt.item("THEIRS", json!({})).await;
    let token = acme.token.as_deref().unwrap();
    let rest = format!("Authorization: Bearer {token}\r\nConnection: close\r\n\r\n");
    let target = "/api/v1/items";

    for (what, request) in [
        (
            "two hosts",
            format!(
                "GET {target} HTTP/1.1\r\nHost: acme.localhost\r\nHost: bolt.localhost\r\n{rest}"
            ),
        ),
        (
            "the same host twice",
            format!(
                "GET {target} HTTP/1.1\r\nHost: acme.localhost\r\nHost: acme.localhost\r\n{rest}"
            ),
        ),
        (
            "another host in the target",
            format!("GET http://bolt.localhost{target} HTTP/1.1\r\nHost: acme.localhost\r\n{rest}"),
        ),
        (
            "two dealers for machines",
            format!(
                "GET {target} HTTP/1.1\r\nHost: api.localhost\r\nX-Tenant-ID: acme\r\nX-Tenant-ID: bolt\r\n{rest}"
            ),
        ),
        (
            "a list of dealers",
            format!(
                "GET {target} HTTP/1.1\r\nHost: api.localhost\r\nX-Tenant-ID: acme, bolt\r\n{rest}"
            ),
        ),
        (
            "a dealer with a line behind it",
            format!(
                "GET {target} HTTP/1.1\r\nHost: api.localhost\r\nX-Tenant-ID: acme\r\n bolt\r\n{rest}"
            ),
        ),
        (
            "another dealer than the host's",
            format!("GET {target} HTTP/1.1\r\nHost: acme.localhost\r\nX-Tenant-ID: bolt\r\n{rest}"),
        ),
        (
            "a token elsewhere",
            format!("GET {target} HTTP/1.1\r\nHost: bolt.localhost\r\n{rest}"),
        ),
        (
            "a name with a blank",
            format!("GET {target} HTTP/1.1\r\nHost: acme.localhost bolt.localhost\r\n{rest}"),
        ),
        (
            "a user before the host",
            format!("GET {target} HTTP/1.1\r\nHost: bolt@acme.localhost\r\n{rest}"),
        ),
    ] {
        let answer = raw(&app, &request).await;
        let status = status_of(&answer);
        assert!([400, 403, 404].contains(&status), "{what}: {answer}");
        assert!(
            !answer.contains("OURS") && !answer.contains("THEIRS"),
            "{what}: {answer}"
        );
    }
}

#[actix_web::test]
async fn what_a_proxy_might_say_of_the_host_is_not_listened_to() {
    let app = TestApp::start().await;
    let (acme, bolt) = (app.dealer().await, app.dealer().await);
    acme.item("OURS", json!({})).await;
    bolt.item("THEIRS", json!({})).await;

    for (name, value) in [
        ("X-Forwarded-Host", "bolt.localhost"),
        ("X-Host", "bolt.localhost"),
        ("X-Original-Host", "bolt.localhost"),
        ("Forwarded", "host=bolt.localhost"),
        ("X-Original-URL", "/api/v1/units"),
        ("X-Rewrite-URL", "/api/v1/units"),
        ("X-HTTP-Method-Override", "DELETE"),
    ] {
        let request = acme.request(Method::GET, "/items").header(name, value);
        let reply = acme.send(request).await.expect(200);

        assert_eq!(reply.json["data"][0]["sku"], "OURS", "{name}");
        assert_eq!(reply.json["data"].as_array().unwrap().len(), 1, "{name}");
    }
}

#[actix_web::test]
async fn a_second_request_hidden_in_a_body_is_not_answered() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let token = acme.token.as_deref().unwrap();
    let hidden = "GET /livez HTTP/1.1\r\nHost: acme.localhost\r\nConnection: close\r\n\r\n";
    let request = format!(
        "POST /api/v1/items HTTP/1.1\r\nHost: acme.localhost\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{hidden}",
        hidden.len()
    );

    let answer = raw(&app, &request).await;

    assert_eq!(status_of(&answer), 400, "{answer}");
    assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
    assert!(!answer.contains("alive"), "{answer}");
}
