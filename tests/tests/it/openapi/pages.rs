//! The document as a page for people, which loads nothing from elsewhere.

use tests::TestApp;

/// What an HTML page loads: the values of `src` and `href`.
fn loaded(html: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for attribute in ["src=\"", "href=\""] {
        let parts = html.split(attribute).skip(1);
        found.extend(parts.filter_map(|rest| rest.split('"').next()));
    }
    found
}

#[actix_web::test]
async fn everything_the_page_needs_is_served_by_us() {
    let app = TestApp::start().await;
    let visitor = app.dealer().await.signed_out();

    let short = visitor.get("/api/docs").await;
    let page = visitor.get("/api/docs/").await.expect(200);

    assert!(short.status.is_success() || short.status.is_redirection());
    assert!(page.header("content-type").starts_with("text/html"));
    let html = page.text();
    let needed = loaded(&html);
    assert!(needed.len() >= 4, "{needed:?}");
    for address in needed {
        assert!(!address.contains("//"), "{address} is somebody else's");
        let path = format!("/api/docs/{}", address.trim_start_matches("./"));
        let part = visitor.get(&path).await.expect(200);

        assert!(!part.body.is_empty(), "{path}");
    }
}

#[actix_web::test]
async fn the_page_reads_our_document_and_asks_nobody_to_check_it() {
    let app = TestApp::start().await;
    let visitor = app.dealer().await.signed_out();

    let script = visitor
        .get("/api/docs/swagger-initializer.js")
        .await
        .expect(200)
        .text();

    assert!(script.contains("\"/api/openapi.json\""), "{script}");
    assert!(
        !script.contains("http://") && !script.contains("https://"),
        "{script}"
    );
    assert!(
        script.contains("\"validatorUrl\": \"none\"") || script.contains("\"validatorUrl\": null"),
        "{script}"
    );
}

#[actix_web::test]
async fn what_the_page_lacks_is_not_found() {
    let app = TestApp::start().await;
    let visitor = app.dealer().await.signed_out();

    for path in [
        "/api/docs/nothing.js",
        "/api/docs/../../Cargo.toml",
        "/api/docs/%2e%2e/%2e%2e/etc/passwd",
    ] {
        let reply = visitor.get(path).await;

        assert_eq!(reply.status, 404, "{path}: {}", reply.text());
    }
}
