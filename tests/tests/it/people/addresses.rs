//! One mail address has one spelling, whoever writes it and however.

use serde_json::json;
use tests::TestApp;

use super::{STRONG, accept, invite, refused};

#[actix_web::test]
async fn an_address_is_the_same_however_it_is_written() {
    let app = TestApp::start().await;
    let dealer = app.new_dealer().await;
    let made = invite(&dealer, " Olga@BÜCHER.example ", "sales").await;
    let email = made.expect(201).json["email"].clone();
    let token = app.token_for("olga@xn--bcher-kva.example", 1).await;
    accept(&dealer, &token, STRONG).await.expect(200);
    let anybody = dealer.signed_out();

    assert_eq!(email, "olga@xn--bcher-kva.example");
    for written in [
        "olga@bücher.example",
        "OLGA@xn--BCHER-kva.example",
        "olga@bu\u{308}cher.example",
        "\tolga@ｂücher.example ",
    ] {
        anybody.sign_in(written, STRONG).await.expect(200);
        let again = invite(&dealer, written, "sales").await;
        refused(&again, 409, "email_taken");
    }
}

#[actix_web::test]
async fn an_address_that_only_looks_like_somebodys_is_refused_and_signs_nobody_in() {
    let app = TestApp::start().await;
    let dealer = app.new_dealer().await;
    let domain = dealer.email.split_once('@').unwrap().1;

    for local in [
        "оwner",         // Cyrillic о
        "ow\u{200b}ner", // zero-width space
        "\u{202e}renwo", // right-to-left override
        "ｏwner",        // full-width o
        "owner\u{0}",
        "own\u{ad}er", // soft hyphen
    ] {
        let email = format!("{local}@{domain}");

        let invited = invite(&dealer, &email, "sales").await;
        let signed_in = dealer.signed_out().sign_in(&email, &dealer.password).await;

        refused(&invited, 422, "fields_invalid");
        assert!(
            [401, 422].contains(&signed_in.status.as_u16()),
            "{email:?}: {}",
            signed_in.text()
        );
    }
    let header = json!({"email": "a@b.example\r\nBcc: c@d.example", "role": "sales"});
    dealer.post("/invitations", header).await.expect(422);
}
