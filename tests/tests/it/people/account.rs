//! One's own account: forgotten and changed passwords, proven and changed addresses.

use serde_json::json;
use tests::{Actor, Dealer, TestApp, eventually};
use time::Duration;

use super::{STRONG, STRONGER, join, me, refused};

const OLGA: &str = "olga@team.example";

async fn forgot(dealer: &Dealer, email: &str) {
    let anybody = dealer.signed_out();
    let body = json!({"email": email});
    anybody
        .post("/auth/forgot-password", body)
        .await
        .expect(202);
}

async fn reset(dealer: &Dealer, token: &str, password: &str) -> tests::Reply {
    let anybody = dealer.signed_out();
    let body = json!({"token": token, "password": password});
    anybody.post("/auth/reset-password", body).await
}

async fn is_out(who: &Actor) {
    eventually("the session ends", async || {
        who.get("/me").await.status == 401
    })
    .await;
}

#[actix_web::test]
async fn a_forgotten_password_is_set_anew_and_ends_what_was_begun_with_the_old_one() {
    let app = TestApp::start().await;
    let dealer = app.new_dealer().await;
    let olga = join(&app, &dealer, OLGA, "sales").await;

    forgot(&dealer, "OLGA@Team.example").await;
    let letter = app.mail_to(OLGA, 2).await;
    let token = tests::token_in(&letter.text);
    let done = reset(&dealer, &token, STRONGER).await;

    assert!(letter.text.contains("/account/reset-password#token="));
    done.expect(204);
    is_out(&olga).await;
    let anybody = dealer.signed_out();
    refused(
        &anybody.sign_in(OLGA, STRONG).await,
        401,
        "credentials_wrong",
    );
    anybody.sign_in(OLGA, STRONGER).await.expect(200);
    let notice = app.mail_to(OLGA, 3).await;
    assert!(notice.subject.contains("was changed"), "{}", notice.subject);
    refused(&reset(&dealer, &token, STRONG).await, 400, "link_invalid");
}

#[actix_web::test]
async fn a_reset_works_once_for_a_while_and_for_its_own_dealer() {
    let app = TestApp::start().await;
    let (dealer, other) = (app.new_dealer().await, app.new_dealer().await);
    join(&app, &dealer, OLGA, "sales").await;
    forgot(&dealer, OLGA).await;
    let first = app.token_for(OLGA, 2).await;
    forgot(&dealer, OLGA).await;
    let second = app.token_for(OLGA, 3).await;

    refused(&reset(&other, &first, STRONGER).await, 400, "link_invalid");
    let (one, two) = tokio::join!(
        reset(&dealer, &first, STRONGER),
        reset(&dealer, &first, STRONGER)
    );

    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 400]);
    // Whoever has set a password needs no other link, and nobody else should have one.
    refused(&reset(&dealer, &second, STRONG).await, 400, "link_invalid");

    forgot(&dealer, OLGA).await;
    let late = app.token_for(OLGA, 5).await;
    app.advance(Duration::minutes(61));
    refused(&reset(&dealer, &late, STRONG).await, 400, "link_invalid");
}

#[actix_web::test]
async fn a_new_password_ends_all_other_sessions_and_not_this_one() {
    let app = TestApp::start().await;
    let dealer = app.new_dealer().await;
    let here = join(&app, &dealer, OLGA, "sales").await;
    let there = dealer.signed_out().sign_in(OLGA, STRONG).await.expect(200);
    let there = super::signed_in(&dealer, &there);

    let wrong = json!({"current": STRONGER, "new": STRONGER});
    let wrong = here.post("/me/password", wrong).await;
    let changed = json!({"current": STRONG, "new": STRONGER});
    let changed = here.post("/me/password", changed).await;

    refused(&wrong, 422, "fields_invalid");
    assert_eq!(wrong.json["errors"][0]["pointer"], "/current");
    changed.expect(204);
    is_out(&there).await;
    here.get("/me").await.expect(200);
    let anybody = dealer.signed_out();
    anybody.sign_in(OLGA, STRONG).await.expect(401);
    anybody.sign_in(OLGA, STRONGER).await.expect(200);
}

#[actix_web::test]
async fn guessing_the_present_password_is_slowed_down() {
    let keys = [
        ("TUBEX_AUTH__SIGN_IN_ATTEMPTS", "2"),
        ("TUBEX_AUTH__SIGN_IN_WAIT_SECONDS", "300"),
    ];
    let app = TestApp::start_with(&keys).await;
    let dealer = app.new_dealer().await;
    let guess = json!({"current": "not this one", "new": STRONG});

    for _ in 0..2 {
        dealer.post("/me/password", guess.clone()).await.expect(422);
    }

    let right = json!({"current": dealer.password, "new": STRONG});
    let right = dealer.post("/me/password", right).await;
    refused(&right, 429, "too_many_attempts");
    let email = json!({"email": "new@team.example", "password": dealer.password});
    let email = dealer.post("/me/email", email).await;
    refused(&email, 429, "too_many_attempts");
}

#[actix_web::test]
async fn an_address_is_proven_by_what_was_sent_to_it() {
    let app = TestApp::start().await;
    let dealer = app.new_dealer().await;
    let path = format!("/members/{}", super::id_of(&dealer).await);
    let before = dealer.get(&path).await.expect(200).json;

    dealer.post("/me/verify-email", json!({})).await.expect(202);
    let token = app.token_for(&dealer.email, 1).await;
    let verify = || {
        let body = json!({"token": token});
        async { dealer.signed_out().post("/auth/verify-email", body).await }
    };
    let (done, again) = (verify().await, verify().await);

    assert!(before["email_verified_at"].is_null());
    done.expect(204);
    refused(&again, 400, "link_invalid");
    let after = dealer.get(&path).await.expect(200).json;
    assert!(after["email_verified_at"].is_string());
}

#[actix_web::test]
async fn a_new_address_is_ones_own_once_its_mailbox_says_so_and_the_old_one_is_told() {
    let app = TestApp::start().await;
    let dealer = app.new_dealer().await;
    let olga = join(&app, &dealer, OLGA, "sales").await;
    let new = "olga.brandt@team.example";
    let ask = |email: &str, password: &str| {
        let body = json!({"email": email, "password": password});
        let olga = olga.clone();
        async move { olga.post("/me/email", body).await }
    };

    refused(&ask(new, "not this one").await, 422, "fields_invalid");
    refused(&ask(&dealer.email, STRONG).await, 409, "email_taken");
    refused(
        &ask("оlga@team.example", STRONG).await,
        422,
        "fields_invalid",
    );
    ask(new, STRONG).await.expect(202);
    let token = app.token_for(new, 1).await;
    let notice = app.mail_to(OLGA, 2).await;

    assert!(notice.subject.contains("about to change"));
    assert!(!notice.text.contains("#token="));
    assert_eq!(me(&olga).await["email"], OLGA, "not yet");
    let anybody = dealer.signed_out();
    let confirm = json!({"token": token});
    anybody
        .post("/auth/confirm-email", confirm.clone())
        .await
        .expect(204);
    eventually("the new address is theirs", async || {
        me(&olga).await["email"] == new
    })
    .await;
    anybody.sign_in(new, STRONG).await.expect(200);
    anybody.sign_in(OLGA, STRONG).await.expect(401);
    let again = anybody.post("/auth/confirm-email", confirm).await;
    refused(&again, 400, "link_invalid");
}

#[actix_web::test]
async fn an_address_that_was_taken_meanwhile_is_refused() {
    let app = TestApp::start().await;
    let dealer = app.new_dealer().await;
    let olga = join(&app, &dealer, OLGA, "sales").await;
    let new = "new@team.example";
    let body = json!({"email": new, "password": STRONG});
    olga.post("/me/email", body).await.expect(202);
    let token = app.token_for(new, 1).await;
    let made = super::invite(&dealer, new, "sales").await.expect(201);
    assert_eq!(made.json["email"], new);
    let invitation = app.token_for(new, 2).await;
    super::accept(&dealer, &invitation, STRONG)
        .await
        .expect(200);

    let body = json!({"token": token});
    let confirmed = dealer.signed_out().post("/auth/confirm-email", body).await;

    refused(&confirmed, 409, "email_taken");
}

#[actix_web::test]
async fn nobody_is_written_to_without_end() {
    let app = TestApp::start_with(&[("TUBEX_AUTH__MAILS_PER_HOUR", "2")]).await;
    let dealer = app.new_dealer().await;
    join(&app, &dealer, OLGA, "sales").await;

    for _ in 0..4 {
        forgot(&dealer, OLGA).await;
    }
    forgot(&dealer, &dealer.email).await;
    app.all_mail_has_left().await;

    assert_eq!(app.mails_to(OLGA).len(), 1 + 2);
    app.advance(Duration::minutes(61));
    forgot(&dealer, OLGA).await;
    app.mail_to(OLGA, 1 + 3).await;
}
