//! Every answer, of whatever kind, says what browsers may not do with it.

use reqwest::Method;
use serde_json::json;
use tests::local::tools;
use tests::{Reply, Scratch, TestApp, Wire};

const NAMES: [&str; 6] = [
    "x-content-type-options",
    "x-frame-options",
    "referrer-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "permissions-policy",
];
const OF_DATA: &str = "default-src 'none'; frame-ancestors 'none'";

/// Answers of every kind there is, with what each is.
async fn every_kind(app: &TestApp) -> Vec<(&'static str, u16, Reply)> {
    let acme = app.dealer().await;
    let stranger = acme.signed_out();
    let item = acme.item("A", json!({})).await;
    let item = format!("/items/{}", item["id"].as_str().unwrap());
    let same = acme
        .request(Method::GET, &item)
        .header("if-none-match", "\"1\"");
    let preflight = |origin: &str| {
        stranger
            .request(Method::OPTIONS, "/items")
            .header("origin", origin)
            .header("access-control-request-method", "GET")
    };
    let schema = app.database.schema_of("acme").await;
    app.sql(&format!(
        "INSERT INTO {schema}.setting (key, value) VALUES ('cors_origins', '[\"https://a.example\"]')"
    ))
    .await;
    let nobody = app.stranger("nobody.localhost");
    vec![
        ("ok", 200, acme.get(&item).await),
        (
            "created",
            201,
            acme.post(
                "/items",
                json!({"sku": "B", "name": "B", "base_unit": "pcs"}),
            )
            .await,
        ),
        ("nothing", 204, acme.delete(&item).await),
        ("the same", 304, acme.send(same).await),
        ("short address", 200, stranger.get("/api/docs").await),
        ("refused", 401, stranger.get("/items").await),
        ("broken", 422, acme.post("/items", json!({})).await),
        ("not here", 404, acme.get("/nowhere").await),
        ("nobody", 404, nobody.get("/items").await),
        ("nobody's page", 404, nobody.get("/").await),
        (
            "wrong method",
            405,
            acme.send(acme.request(Method::PUT, "/items")).await,
        ),
        ("page", 200, stranger.get("/").await),
        ("problems", 200, stranger.get("/problems").await),
        ("documentation", 200, stranger.get("/api/docs/").await),
        (
            "script",
            200,
            stranger.get("/api/docs/swagger-ui-bundle.js").await,
        ),
        ("document", 200, stranger.get("/api/openapi.json").await),
        ("health", 200, stranger.get("/livez").await),
        (
            "preflight",
            204,
            stranger.send(preflight("https://a.example")).await,
        ),
        (
            "refused preflight",
            403,
            stranger.send(preflight("https://b.example")).await,
        ),
    ]
}

#[actix_web::test]
async fn answers_of_every_kind_carry_them() {
    let app = TestApp::start().await;

    for (kind, status, reply) in every_kind(&app).await {
        if kind != "the same" {
            // What was retired has another version by now.
            assert_eq!(reply.status.as_u16(), status, "{kind}: {}", reply.text());
        }
        assert_guarded(kind, &reply);
        let policy = reply.header("content-security-policy");
        let is_page = reply.header("content-type").starts_with("text/html");
        assert_eq!(policy == OF_DATA, !is_page, "{kind}: {policy}");
        assert!(!policy.contains("unsafe"), "{kind}: {policy}");
        assert!(
            policy.contains("frame-ancestors 'none'"),
            "{kind}: {policy}"
        );
        assert_eq!(reply.header("strict-transport-security"), "", "{kind}");
    }
}

#[actix_web::test]
async fn failures_of_ours_carry_them_too() {
    let database = Scratch::with_dealers().await;
    let wire = Wire::to(&database).await;
    let keys = [
        ("TUBEX_DATABASE__URL", wire.url()),
        ("TUBEX_DATABASE__ACQUIRE_TIMEOUT_MS", "2000"),
        ("TUBEX_HTTP__REQUEST_TIMEOUT_MS", "4000"),
    ];
    let app = TestApp::start_on(database, &keys).await;
    let acme = app.dealer().await;
    app.sql("UPDATE platform.tenant SET status = 'suspended' WHERE slug = 'bolt'")
        .await;
    let bolt = app.stranger("bolt.localhost");
    tests::eventually("bolt is suspended", async || {
        bolt.get("/").await.problem() == "tenant_suspended"
    })
    .await;

    let suspended = bolt.get("/").await.expect(403);
    wire.silence();
    let late = acme.get("/items").await.expect(503);
    wire.cut();
    let away = acme.get("/items").await.expect(503);

    for (kind, reply) in [("suspended", suspended), ("late", late), ("away", away)] {
        assert_guarded(kind, &reply);
        assert_eq!(reply.header("content-security-policy"), OF_DATA, "{kind}");
    }
}

#[actix_web::test]
async fn a_request_cut_short_by_its_time_limit_carries_them() {
    let keys = [("TUBEX_HTTP__REQUEST_TIMEOUT_MS", "4000")];
    let app = TestApp::start_on(Scratch::with_lane_of(2).await, &keys).await;
    let acme = app.dealer().await;
    let item = acme.item("HELD", json!({})).await;
    let path = format!("/items/{}", item["id"].as_str().unwrap());
    let held = app.door(&acme).await.begin().await.unwrap();
    sea_orm::ConnectionTrait::execute_unprepared(&held, "UPDATE item SET name = 'Held'")
        .await
        .unwrap();

    let ended = acme.patch(&path, 1, json!({"name": "Late"})).await;

    assert_eq!(ended.problem(), "request_timed_out");
    assert_guarded("timed out", &ended);
    assert_eq!(ended.header("content-security-policy"), OF_DATA);
    drop(held);
}

#[actix_web::test]
async fn only_where_tls_is_the_only_way_in_browsers_are_held_to_it() {
    let app = TestApp::start_with(&[("TUBEX_HTTP__PUBLIC_SCHEME", "https")]).await;

    for (kind, _, reply) in every_kind(&app).await {
        let value = reply.header("strict-transport-security");
        assert_eq!(value, "max-age=63072000; includeSubDomains", "{kind}");
    }
}

#[actix_web::test]
async fn our_pages_hold_neither_script_nor_style_of_their_own() {
    let app = TestApp::start().await;
    let visitor = app.stranger("acme.localhost");

    for path in ["/", "/problems", "/api/docs/"] {
        let page = visitor.get(path).await.expect(200).text();
        for inline in ["<style", " style=", " onclick=", "<script>"] {
            assert!(!page.contains(inline), "{path} has {inline}: {page}");
        }
    }
    let sheet = visitor.get("/assets/pages.css").await.expect(200);
    assert!(sheet.header("content-type").starts_with("text/css"));
    app.stranger("nobody.localhost")
        .get("/assets/pages.css")
        .await
        .expect(404);
}

#[actix_web::test]
async fn a_browser_finds_nothing_to_refuse_on_our_pages() {
    let app = TestApp::start().await;
    let port = app.base().rsplit(':').next().unwrap().to_owned();

    for path in ["/", "/problems", "/api/docs/"] {
        let url = format!("http://acme.localhost:{port}{path}");
        let profile = tempfile::tempdir().unwrap();
        let mut browser =
            std::process::Command::new(tools::chromium().expect("a browser; run `make test`"));
        browser
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--no-first-run",
            ])
            .args(["--disable-background-networking", "--disable-sync"])
            .args(["--enable-logging=stderr", "--v=0"])
            .arg("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE *.localhost")
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .args(["--virtual-time-budget=10000", "--dump-dom", &url]);
        let output = tokio::task::spawn_blocking(move || browser.output())
            .await
            .unwrap()
            .unwrap();

        let said = String::from_utf8_lossy(&output.stderr);
        let refusals: Vec<_> = said
            .lines()
            .filter(|line| line.contains("Content Security Policy"))
            .collect();
        assert!(output.status.success(), "{said}");
        assert!(refusals.is_empty(), "{path}: {refusals:#?}");
    }
}

#[track_caller]
fn assert_guarded(kind: &str, reply: &Reply) {
    for name in NAMES {
        assert!(!reply.header(name).is_empty(), "{kind} lacks {name}");
    }
    assert_eq!(reply.header("x-content-type-options"), "nosniff", "{kind}");
    assert_eq!(reply.header("referrer-policy"), "no-referrer", "{kind}");
    assert_eq!(
        reply.header("cross-origin-opener-policy"),
        "same-origin",
        "{kind}"
    );
    assert_eq!(
        reply.header("cross-origin-resource-policy"),
        "same-origin",
        "{kind}"
    );
    for capability in ["camera=()", "geolocation=()", "microphone=()", "usb=()"] {
        let said = reply.header("permissions-policy");
        assert!(said.contains(capability), "{kind}: {said}");
    }
    assert!(!reply.header("x-request-id").is_empty(), "{kind}");
    for telltale in ["server", "x-powered-by"] {
        assert!(
            reply.headers.get(telltale).is_none(),
            "{kind} has {telltale}"
        );
    }
}
