//! The pages that links in messages lead to, in a real browser.

use tests::TestApp;

use crate::pages::seen;

#[actix_web::test]
async fn the_page_of_an_invitation_asks_for_a_name_and_a_password() {
    let app = TestApp::start().await;

    let path = "/account/accept-invitation#token=tbxi_secret";
    let page = seen(&app, "acme", path).await;

    assert!(page.contains("Acme Baustoffe"), "{page}");
    assert!(page.contains("<label for=\"name\">"), "{page}");
    assert!(page.contains("<label for=\"password\">"), "{page}");
    // Its script has run: the form is shown, and the token is nowhere in the page.
    let form = page.split("<form").nth(1).unwrap();
    let form = form.split('>').next().unwrap();
    assert!(!form.contains("hidden"), "{form}");
    assert!(!page.contains("tbxi_secret"), "{page}");
}

#[actix_web::test]
async fn a_link_without_its_token_says_so() {
    let app = TestApp::start().await;

    for path in [
        "/account/accept-invitation",
        "/account/reset-password",
        "/account/verify-email",
        "/account/confirm-email",
    ] {
        let page = seen(&app, "acme", path).await;

        assert!(page.contains("This address is not complete"), "{page}");
        let form = page.split("<form").nth(1).unwrap();
        assert!(form.split('>').next().unwrap().contains("hidden"));
    }
}

#[actix_web::test]
async fn the_pages_run_our_script_and_nothing_else() {
    let app = TestApp::start().await;
    let visitor = app.stranger("acme.localhost");

    let page = visitor.get("/account/reset-password").await.expect(200);
    let script = visitor.get("/assets/account.js").await.expect(200);

    let policy = page.header("content-security-policy");
    assert!(policy.contains("script-src 'self'"), "{policy}");
    assert!(policy.contains("default-src 'none'"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    assert!(!page.text().contains("<script>"));
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    assert_eq!(page.header("cache-control"), "no-store");
    assert!(script.header("content-type").starts_with("text/javascript"));
}
