//! The page on which developers see what was sent.

use tests::{Browser, TestApp, eventually};

use super::{OLGA, invite};

fn keys(folder: &str) -> [(&str, &str); 4] {
    [
        ("TUBEX_MAIL__TRANSPORT", "files"),
        ("TUBEX_MAIL__DIRECTORY", folder),
        ("TUBEX_MAIL__PAGE", "true"),
        ("TUBEX_JOBS__INSIDE", "true"),
    ]
}

#[actix_web::test]
async fn sent_messages_are_seen_on_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let app = TestApp::start_with(&keys(folder.path().to_str().unwrap())).await;
    let dealer = app.dealer().await;
    invite(&dealer, OLGA, "sales").await.expect(201);
    let anybody = app.stranger("localhost");
    eventually("it is sent", async || {
        anybody.get("/dev/mail").await.text().contains(OLGA)
    })
    .await;

    let port = app.base().rsplit(':').next().unwrap().to_owned();
    let seen = tokio::task::spawn_blocking(move || {
        let mut browser = Browser::open(&format!("http://mail.localhost:{port}/dev/mail"));
        browser.wait_for("Your invitation to Acme Baustoffe");
        browser.tab();
        browser.enter();
        browser.wait_for("Plain text");
        (browser.address(), browser.text())
    });
    let (address, text) = seen.await.unwrap();

    assert!(text.contains("Accept the invitation"), "{text}");
    let id = address.rsplit('/').next().unwrap();
    let page = anybody.get(&format!("/dev/mail/{id}")).await.expect(200);
    let policy = page.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"));
    assert!(page.text().contains("<iframe sandbox "), "{}", page.text());
    let html = anybody
        .get(&format!("/dev/mail/{id}/html"))
        .await
        .expect(200);
    let policy = html.header("content-security-policy");
    assert!(policy.ends_with("sandbox"), "{policy}");
    assert!(policy.contains("frame-ancestors 'self'"), "{policy}");
    assert_eq!(html.header("x-frame-options"), "SAMEORIGIN");
}

#[actix_web::test]
async fn the_page_is_nowhere_unless_somebody_asked_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let keys = keys(folder.path().to_str().unwrap());
    let shown = TestApp::start_with(&keys).await;
    let hidden = TestApp::start_with(&[keys[0], keys[1]]).await;

    for path in ["/dev/mail", "/dev/mail/pages.css"] {
        shown.stranger("localhost").get(path).await.expect(200);
        shown.stranger("evil.example").get(path).await.expect(404);
        shown.stranger("evillocalhost").get(path).await.expect(404);
        hidden.stranger("localhost").get(path).await.expect(404);
    }
    let nobodys = format!("/dev/mail/{}", uuid::Uuid::now_v7());
    shown.stranger("localhost").get(&nobodys).await.expect(404);
}
