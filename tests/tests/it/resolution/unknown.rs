//! Nobody's address: one answer, byte for byte, whatever the reason, the path and the method.

use serde_json::json;
use tests::TestApp;

use super::{Raw, add_domain, raw};

const PATHS: [&str; 20] = [
    "/",
    "/api/docs",
    "/api/docs/",
    "/api/docs/swagger-ui.css",
    "/api/docs/nothing",
    "/api/openapi.json",
    "/problems",
    "/problems/not-found",
    "/api/v1",
    "/api/v1/me",
    "/api/v1/items",
    "/api/v1/items?limit=x",
    "/api/v1/items?nonsense=1",
    "/api/v1/items/0197a2f4-0000-7000-8000-000000000000",
    "/api/v1/items/not-an-id",
    "/api/v1/item-groups/not-an-id",
    "/api/v1/units?limit=-1",
    "/api/v1/imports",
    "/nothing",
    "/%00/..%2f..%2fetc/passwd",
];

#[actix_web::test]
async fn nobodys_address_has_one_answer_on_every_path() {
    let app = TestApp::start().await;
    let expected = expected(&app).await;
    let mut wrong = Vec::new();

    for path in PATHS {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            // Each time another host: what was asked before is answered from memory.
            let host = format!("nobody-{}.localhost", uuid::Uuid::new_v4().simple());
            let request = format!(
                "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
                 Content-Length: 0\r\n\r\n"
            );
            let answer = raw(&app, &request).await;
            if answer != expected {
                wrong.push(format!(
                    "{method} {path}: {} {}",
                    answer.status, answer.body
                ));
            }
        }
    }

    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[actix_web::test]
async fn nobodys_address_has_one_answer_whatever_the_reason() {
    let app = TestApp::start().await;
    app.dealer().await;
    add_domain(&app, "acme", "unverified.example", "NULL").await;
    let expected = expected(&app).await;
    let mut wrong = Vec::new();

    for host in [
        "Host: 127.0.0.1",
        "Host: 127.0.0.1:8080",
        "Host: [::1]",
        "Host: 2130706433",
        "Host: localhost",
        "Host: LOCALHOST.",
        "Host: www.localhost",
        "Host: admin.localhost",
        "Host: api.localhost",
        "Host: api.localhost\r\nX-Tenant-ID: nobody",
        "Host: api.localhost\r\nX-Tenant-ID: \u{e4}cme",
        "Host: nobody.localhost\r\nX-Tenant-ID: acme",
        "Host: acme.localhost.evil.example",
        "Host: www.acme.localhost",
        "Host: acme_.localhost",
        "Host: -acme.localhost",
        "Host: acmelocalhost",
        "Host: acme.localhost:99999",
        "Host: \u{430}cme.localhost",
        "Host: unverified.example",
        "Host: example.com",
        "Host: ",
    ] {
        let request = format!("GET /api/v1/me HTTP/1.1\r\n{host}\r\nConnection: close\r\n\r\n");
        let answer = raw(&app, &request).await;
        if answer != expected {
            wrong.push(format!("{host}: {} {}", answer.status, answer.body));
        }
    }
    let without_host = raw(&app, "GET /api/v1/me HTTP/1.0\r\n\r\n").await;

    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(without_host, expected);
}

#[actix_web::test]
async fn a_broken_body_or_token_does_not_bring_nobody_to_life() {
    let app = TestApp::start().await;
    let nobody = |host: &str| app.stranger(host).with_token("not.a.token");

    let expected = nobody("nobody-0.localhost").get("/me").await;
    let replies = [
        nobody("nobody-1.localhost")
            .sign_in("owner@acme.example", "wrong")
            .await,
        nobody("nobody-2.localhost")
            .post("/auth/sign-in", json!([1]))
            .await,
        nobody("nobody-3.localhost")
            .post("/items", json!({"nonsense": 1}))
            .await,
        nobody("nobody-4.localhost")
            .import("apply=perhaps", "no file")
            .await,
    ];

    assert_eq!(expected.problem(), "tenant_unknown");
    for reply in replies {
        assert_eq!(
            (reply.status, &reply.body),
            (expected.status, &expected.body)
        );
    }
}

#[actix_web::test]
async fn every_answer_names_its_request_even_nobodys() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;

    for actor in [acme.signed_out(), acme.at("nobody.localhost"), acme.owner] {
        for path in [
            "/",
            "/me",
            "/items?limit=x",
            "/api/docs/",
            "/nothing",
            "/livez",
        ] {
            let reply = actor.get(path).await;
            let id = reply.header("x-request-id");
            assert!(
                id.parse::<uuid::Uuid>().is_ok(),
                "{} {path}: {id:?}",
                actor.host
            );
            assert_ne!(reply.problem(), "internal", "{}", reply.text());
        }
    }
}

#[actix_web::test]
async fn the_health_routes_answer_on_every_host() {
    let app = TestApp::start().await;

    for host in ["127.0.0.1", "nobody.localhost", "acme.localhost"] {
        for path in ["/livez", "/readyz"] {
            assert_eq!(
                app.stranger(host).get(path).await.status,
                200,
                "{host}{path}"
            );
        }
    }
}

async fn expected(app: &TestApp) -> Raw {
    let request = "GET / HTTP/1.1\r\nHost: nobody.localhost\r\nConnection: close\r\n\r\n";
    let answer = raw(app, request).await;
    assert_eq!(answer.status, 404);
    let body: serde_json::Value = serde_json::from_str(&answer.body).expect("a problem");
    assert_eq!(body["code"], "tenant_unknown");
    answer
}
