//! The pages for people, in a real browser that can reach nothing but this machine.

use std::process::Command;

use tests::TestApp;
use tests::local::tools;

#[actix_web::test]
async fn a_browser_at_a_dealers_address_sees_its_name_and_a_way_to_the_documentation() {
    let app = TestApp::start().await;

    let page = seen(&app, "acme", "/").await;

    assert!(page.contains("<h1>Acme Baustoffe</h1>"), "{page}");
    assert!(page.contains(r#"href="/api/docs/""#), "{page}");
}

#[actix_web::test]
async fn a_dealers_name_is_text_and_never_markup() {
    let app = TestApp::start().await;
    let rename =
        "UPDATE platform.tenant SET name = '<img src=x onerror=alert(1)>' WHERE slug = 'bolt'";
    sqlx::query(rename)
        .execute(&mut app.database.connect().await)
        .await
        .unwrap();
    let bolt = app.stranger("bolt.localhost");
    while bolt.get("/").await.text().contains("Bolt") {
        tokio::task::yield_now().await;
    }

    let page = seen(&app, "bolt", "/").await;

    assert!(page.contains("&lt;img src=x"), "{page}");
    assert!(!page.contains("<img"), "{page}");
}

#[actix_web::test]
async fn the_documentation_renders_without_any_outside_host() {
    let app = TestApp::start().await;

    let page = seen(&app, "acme", "/api/docs").await;

    for path in ["/api/v1/auth/sign-in", "/api/v1/items", "/api/v1/imports"] {
        assert!(
            page.contains(&format!("data-path=\"{path}\"")),
            "{path} is not shown"
        );
    }
}

/// The document as the browser has it after its scripts have run.
pub async fn seen(app: &TestApp, slug: &str, path: &str) -> String {
    let port = app.base().rsplit(':').next().unwrap().to_owned();
    let url = format!("http://{slug}.localhost:{port}{path}");
    let profile = tempfile::tempdir().unwrap();
    let mut browser = Command::new(tools::chromium().expect("a browser; run `make test`"));
    browser
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
        ])
        .args([
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ])
        // Whatever isn't this machine does not exist.
        .arg("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE *.localhost")
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .args(["--virtual-time-budget=10000", "--dump-dom", &url]);
    let output = tokio::task::spawn_blocking(move || browser.output())
        .await
        .unwrap()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}
