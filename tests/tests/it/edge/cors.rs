//! Pages of other origins read nothing of a dealer's, unless the dealer named their origin.

use reqwest::{Method, RequestBuilder};
use serde_json::json;
use tests::{Actor, Reply, TestApp, eventually};

const SHOP: &str = "https://shop.example";

async fn allow(app: &TestApp, slug: &str, origins: &str) {
    let schema = app.database.schema_of(slug).await;
    let set = format!(
        "INSERT INTO {schema}.setting (key, value) VALUES ('cors_origins', '{origins}')
         ON CONFLICT (key) DO UPDATE SET value = excluded.value"
    );
    app.sql_on_access(&schema, &set).await;
}

fn preflight(who: &Actor, origin: &str) -> RequestBuilder {
    who.request(Method::OPTIONS, "/items")
        .header("origin", origin)
        .header("access-control-request-method", "PATCH")
        .header("access-control-request-headers", "authorization,if-match")
}

async fn ask(who: &Actor, origin: &str) -> Reply {
    let request = who.request(Method::GET, "/items");
    who.send(request.header("origin", origin)).await
}

#[track_caller]
fn assert_no_leave(reply: &Reply) {
    for name in reply.headers.keys() {
        assert!(!name.as_str().starts_with("access-control-"), "{name}");
    }
}

#[actix_web::test]
async fn nobody_may_ask_unless_the_dealer_says_so() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;

    let asked = ask(&acme, SHOP).await.expect(200);
    let refused = acme.send(preflight(&acme.signed_out(), SHOP)).await;

    assert_no_leave(&asked);
    assert_no_leave(&refused);
    assert_eq!(
        (refused.status.as_u16(), refused.problem()),
        (403, "origin_refused")
    );
}

#[actix_web::test]
async fn a_named_origin_may_ask_without_a_token_whether_it_may() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    allow(
        &app,
        "acme",
        r#"["https://shop.example", "http://localhost:5173"]"#,
    )
    .await;
    let stranger = acme.signed_out();

    for origin in [SHOP, "http://localhost:5173"] {
        let may = stranger
            .send(preflight(&stranger, origin))
            .await
            .expect(204);
        let asked = ask(&acme, origin).await.expect(200);
        let refused = ask(&stranger, origin).await.expect(401);

        for reply in [&may, &asked, &refused] {
            assert_eq!(reply.header("access-control-allow-origin"), origin);
            assert_eq!(reply.header("access-control-allow-credentials"), "true");
            assert!(reply.header("vary").contains("Origin"));
        }
        assert!(may.header("access-control-allow-methods").contains("PATCH"));
        assert!(
            may.header("access-control-allow-headers")
                .contains("If-Match")
        );
        assert!(
            asked
                .header("access-control-expose-headers")
                .contains("ETag")
        );
        assert!(may.body.is_empty());
    }
}

#[actix_web::test]
async fn what_only_looks_like_a_named_origin_is_none() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    allow(&app, "acme", r#"["https://shop.example"]"#).await;

    for origin in [
        "null",
        "*",
        "http://shop.example",
        "https://shop.example:444",
        "https://shop.example.evil.example",
        "https://evil-shop.example",
        "https://SHOP.example",
        "https://shop.example/",
        "https://a.shop.example",
    ] {
        assert_no_leave(&ask(&acme, origin).await.expect(200));
        let refused = acme.send(preflight(&acme, origin)).await.expect(403);
        assert_no_leave(&refused);
    }
    let two = preflight(&acme, SHOP).header("origin", "https://evil.example");
    assert_no_leave(&acme.send(two).await);
}

#[actix_web::test]
async fn a_wildcard_in_the_setting_opens_nothing() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    allow(&app, "acme", r#"["*", "null", "https://*.example"]"#).await;

    for origin in [SHOP, "https://a.example"] {
        assert_no_leave(&ask(&acme, origin).await.expect(200));
        assert_no_leave(&acme.send(preflight(&acme, origin)).await.expect(403));
    }
}

#[actix_web::test]
async fn one_dealers_list_is_no_others() {
    let app = TestApp::start().await;
    let (acme, bolt) = (app.dealer().await, app.dealer().await);
    allow(&app, "acme", r#"["https://shop.example"]"#).await;

    assert_eq!(
        ask(&acme, SHOP).await.header("access-control-allow-origin"),
        SHOP
    );
    assert_no_leave(&ask(&bolt, SHOP).await.expect(200));
    bolt.send(preflight(&bolt, SHOP)).await.expect(403);
}

#[actix_web::test]
async fn an_unknown_host_says_so_and_the_platform_takes_no_pages() {
    let app = TestApp::start().await;
    let nobody = app.stranger("nobody.localhost");

    let unknown = nobody.send(preflight(&nobody, SHOP)).await;

    assert_eq!(unknown.problem(), "tenant_unknown");
    assert_no_leave(&unknown);
    let operators = app.stranger("admin.localhost");
    let request = operators
        .request(Method::OPTIONS, "/platform/v1/tenants")
        .header("origin", SHOP)
        .header("access-control-request-method", "GET");
    assert_no_leave(&operators.send(request).await);
}

#[actix_web::test]
async fn a_change_of_the_list_is_known_within_a_second() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    allow(&app, "acme", r#"["https://shop.example"]"#).await;
    acme.send(preflight(&acme, SHOP)).await.expect(204);

    allow(&app, "acme", "[]").await;
    let changed = std::time::Instant::now();
    eventually("the origin is refused", async || {
        acme.send(preflight(&acme, SHOP)).await.status == 403
    })
    .await;

    let took = changed.elapsed();
    assert!(took < std::time::Duration::from_millis(1_500), "{took:?}");
}

async fn put(who: &Actor, had: &str, body: serde_json::Value) -> Reply {
    let request = who.request(Method::PUT, "/settings/cors");
    who.send(request.header("if-match", had).json(&body)).await
}

#[actix_web::test]
async fn the_list_is_read_and_replaced_with_its_version() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let none = acme.get("/settings/cors").await.expect(200);
    assert_eq!(none.json, json!({"origins": [], "version": 0}));
    let list = json!({"origins": [SHOP, "http://localhost:5173"]});

    let blind = acme.request(Method::PUT, "/settings/cors").json(&list);
    assert_eq!(acme.send(blind).await.problem(), "precondition_required");
    let first = put(&acme, none.header("etag"), list.clone())
        .await
        .expect(200);
    let stale = put(&acme, none.header("etag"), json!({"origins": []})).await;
    let read = acme.get("/settings/cors").await.expect(200);

    assert_eq!(first.json["origins"], list["origins"]);
    assert_eq!(stale.problem(), "precondition_failed");
    assert_eq!(
        (read.json, read.headers.get("etag")),
        (first.json, first.headers.get("etag"))
    );
    acme.send(preflight(&acme, SHOP)).await.expect(204);
    put(&acme, "*", json!({"origins": []})).await.expect(200);
    acme.send(preflight(&acme, SHOP)).await.expect(403); // here at once
}

#[actix_web::test]
async fn only_exact_origins_can_be_named_and_only_by_who_may() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let viewer = app.member(&acme, "viewer").await;

    for wrong in [
        json!(["*"]),
        json!(["null"]),
        json!(["https://*.example"]),
        json!(["https://shop.example/"]),
        json!(["https://Shop.example"]),
        json!(["shop.example"]),
        json!([SHOP, SHOP]),
        json!(
            (0..51)
                .map(|n| format!("https://{n}.example"))
                .collect::<Vec<_>>()
        ),
    ] {
        let refused = put(&acme, "*", json!({"origins": wrong})).await;
        assert_eq!(refused.problem(), "fields_invalid", "{wrong}");
        assert_eq!(refused.json["errors"][0]["pointer"], "/origins");
    }
    let refused = put(&viewer, "*", json!({"origins": [SHOP]})).await;
    assert_eq!(refused.problem(), "permission_denied");
    assert_eq!(
        viewer.get("/settings/cors").await.problem(),
        "permission_denied"
    );
    acme.send(preflight(&acme, SHOP)).await.expect(403);
}

#[actix_web::test]
async fn two_who_name_origins_at_once_do_not_undo_each_other() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let of = |n: u8| json!({"origins": [format!("https://{n}.example")]});

    let (one, two, three) = tokio::join!(
        put(&acme, "\"0\"", of(1)),
        put(&acme, "\"0\"", of(2)),
        put(&acme, "\"0\"", of(3)),
    );

    let mut statuses = [one, two, three].map(|reply| reply.status.as_u16());
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412, 412]);
    assert_eq!(acme.get("/settings/cors").await.json["version"], 1);
}
