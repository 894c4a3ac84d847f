//! The pages that links in messages lead to, in a real browser.

use serde_json::json;
use tests::{Browser, TestApp, token_in};

use super::{STRONG, STRONGER, accept, invite};
use crate::pages::seen;

/// An address as the browser reaches it: links in messages have no port here.
fn reachable(app: &TestApp, link: &str) -> String {
    let port = app.base().rsplit(':').next().unwrap();
    link.replace(".localhost/", &format!(".localhost:{port}/"))
}

fn link_in(text: &str) -> String {
    let mut words = text.split_whitespace();
    words
        .find(|word| word.contains("#token="))
        .unwrap()
        .to_owned()
}

#[actix_web::test]
async fn somebody_who_is_invited_joins_by_the_keyboard_alone() {
    let app = TestApp::start().await;
    let dealer = app.new_dealer().await;
    invite(&dealer, "olga@team.example", "sales")
        .await
        .expect(201);
    let letter = app.mail_to("olga@team.example", 1).await;
    let address = reachable(&app, &link_in(&letter.text));

    let used = tokio::task::spawn_blocking(move || {
        let mut browser = Browser::open(&address);
        browser.wait_for("Your name");
        let bare = browser.address();
        browser.write("Olga Brandt");
        browser.tab();
        let second = browser.focus();
        browser.write("password123");
        browser.enter();
        browser.wait_for("too easily guessed");
        // The cursor is back where something is wrong; what is there is replaced.
        let third = browser.focus();
        browser.replace(STRONG);
        browser.tab();
        let fourth = browser.focus();
        browser.enter();
        browser.wait_for("Welcome");
        (bare, [second, third, fourth])
    });
    let (bare, fields) = used.await.unwrap();

    assert!(!bare.contains("token"), "{bare}");
    assert_eq!(fields, ["password", "password", "submit"]);
    let signed_in = dealer.signed_out().sign_in("olga@team.example", STRONG);
    signed_in.await.expect(200);
}

#[actix_web::test]
async fn a_forgotten_password_is_set_anew_by_the_keyboard_alone() {
    let app = TestApp::start().await;
    let dealer = app.new_dealer().await;
    invite(&dealer, "olga@team.example", "sales")
        .await
        .expect(201);
    let token = token_in(&app.mail_to("olga@team.example", 1).await.text);
    accept(&dealer, &token, STRONG).await.expect(200);
    let body = json!({"email": "olga@team.example"});
    let anybody = dealer.signed_out();
    anybody
        .post("/auth/forgot-password", body)
        .await
        .expect(202);
    let letter = app.mail_to("olga@team.example", 2).await;
    let address = reachable(&app, &link_in(&letter.text));

    let used = tokio::task::spawn_blocking(move || {
        let mut browser = Browser::open(&address);
        browser.wait_for("Password, 10 characters");
        browser.write(STRONGER);
        browser.enter();
        browser.wait_for("sign in with the new password");
    });
    used.await.unwrap();

    let signed_in = anybody.sign_in("olga@team.example", STRONGER);
    signed_in.await.expect(200);
}

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
