//! Invitations: told to a mailbox alone, good once and for a while.

use serde_json::json;
use tests::TestApp;
use time::Duration;

use super::{STRONG, accept, invite, join, me, refused};

const OLGA: &str = "olga@team.example";

#[actix_web::test]
async fn whoever_is_invited_joins_with_the_link_of_their_message() {
    let app = TestApp::start().await;
    let dealer = app.new_dealer().await;

    let made = invite(&dealer, "Olga@Team.Example", "sales")
        .await
        .expect(201);
    let letter = app.mail_to(OLGA, 1).await;
    let token = tests::token_in(&letter.text);
    let accepted = accept(&dealer, &token, STRONG).await.expect(200);
    let olga = super::signed_in(&dealer, &accepted);

    assert!(!made.text().contains(&token));
    let link = format!(
        "http://{}.localhost/account/accept-invitation#",
        dealer.slug
    );
    assert!(letter.text.contains(&link), "{}", letter.text);
    assert!(letter.html.contains(&link), "{}", letter.html);
    assert!(letter.subject.contains("New Dealer"), "{}", letter.subject);
    let me = me(&olga).await;
    assert_eq!((&me["email"], &me["role"]), (&OLGA.into(), &"sales".into()));
    assert_eq!(me["name"], "Olga Brandt");
    let id = me["id"].as_str().unwrap();
    let member = dealer.get(&format!("/members/{id}")).await.expect(200);
    assert!(
        member.json["email_verified_at"].is_string(),
        "proven by the link"
    );
    dealer.signed_out().sign_in(OLGA, STRONG).await.expect(200);
    let open = dealer.get("/invitations").await.expect(200).json;
    assert_eq!(open["data"], json!([]));
}

#[actix_web::test]
async fn a_link_works_once_even_for_two_who_click_at_once() {
    let app = TestApp::start().await;
    let dealer = app.new_dealer().await;
    invite(&dealer, OLGA, "sales").await.expect(201);
    let token = app.token_for(OLGA, 1).await;

    let (one, two) = tokio::join!(
        accept(&dealer, &token, STRONG),
        accept(&dealer, &token, STRONG)
    );
    let later = accept(&dealer, &token, STRONG).await;

    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 400], "{} {}", one.text(), two.text());
    refused(&later, 400, "link_invalid");
}

#[actix_web::test]
async fn a_token_that_is_good_for_nothing_is_answered_the_same_whatever_the_reason() {
    let app = TestApp::start().await;
    let (dealer, other) = (app.new_dealer().await, app.new_dealer().await);
    let bare = |reply: &tests::Reply| {
        let mut json = reply.json.clone();
        json["request_id"].take();
        (reply.status.as_u16(), json)
    };

    let unknown = accept(&dealer, "tbxi_nobodys", STRONG).await;
    invite(&dealer, OLGA, "sales").await.expect(201);
    let token = app.token_for(OLGA, 1).await;
    let at_another_dealer = accept(&other, &token, STRONG).await;
    let id = dealer.get("/invitations").await.json["data"][0]["id"].clone();
    let path = format!("/invitations/{}", id.as_str().unwrap());
    dealer
        .post(&format!("{path}/resend"), json!({}))
        .await
        .expect(200);
    let replaced = accept(&dealer, &token, STRONG).await;
    let newer = app.token_for(OLGA, 2).await;
    app.advance(Duration::days(8));
    let expired = accept(&dealer, &newer, STRONG).await;
    app.advance(Duration::days(-8));
    dealer.delete(&path).await.expect(204);
    let taken_back = accept(&dealer, &newer, STRONG).await;

    refused(&unknown, 400, "link_invalid");
    for reply in [at_another_dealer, replaced, expired, taken_back] {
        assert_eq!(bare(&reply), bare(&unknown));
    }
}

#[actix_web::test]
async fn a_new_link_is_good_for_the_whole_time_again() {
    let app = TestApp::start().await;
    let dealer = app.new_dealer().await;
    let made = invite(&dealer, OLGA, "sales").await.expect(201);
    let path = format!("/invitations/{}", made.json["id"].as_str().unwrap());
    app.token_for(OLGA, 1).await;
    app.advance(Duration::days(8));
    let owner = app.enter(&dealer.slug).await;

    let again = owner.post(&format!("{path}/resend"), json!({})).await;
    again.expect(200);
    let token = app.token_for(OLGA, 2).await;

    accept(&dealer, &token, STRONG).await.expect(200);
}

#[actix_web::test]
async fn who_is_there_or_was_asked_is_not_asked_again() {
    let app = TestApp::start().await;
    let dealer = app.new_dealer().await;
    join(&app, &dealer, OLGA, "sales").await;
    invite(&dealer, "otto@team.example", "sales")
        .await
        .expect(201);

    let member = invite(&dealer, "OLGA@team.example", "admin").await;
    let asked = invite(&dealer, "otto@team.example", "admin").await;

    refused(&member, 409, "email_taken");
    refused(&asked, 409, "already_invited");
    // One that has run out is in nobody's way.
    app.advance(Duration::days(8));
    let owner = app.enter(&dealer.slug).await;
    let anew = invite(&owner, "otto@team.example", "admin").await;
    anew.expect(201);
}

#[actix_web::test]
async fn an_idempotent_request_that_is_sent_again_writes_one_message() {
    let app = TestApp::start().await;
    let dealer = app.new_dealer().await;
    let send = || {
        let request = dealer
            .request(reqwest::Method::POST, "/invitations")
            .header("idempotency-key", "\"once\"")
            .json(&json!({"email": OLGA, "role": "sales"}));
        dealer.send(request)
    };

    let first = send().await.expect(201);
    let again = send().await.expect(201);
    invite(&dealer, "last@team.example", "sales")
        .await
        .expect(201);
    app.mail_to("last@team.example", 1).await;
    app.all_mail_has_left().await;

    assert_eq!(first.json, again.json);
    assert_eq!(app.mails_to(OLGA).len(), 1);
}

#[actix_web::test]
async fn what_is_wrong_with_an_invitation_is_told_field_by_field() {
    let app = TestApp::start().await;
    let dealer = app.new_dealer().await;
    let nobody = "01890000-0000-7000-8000-000000000000";

    for (body, pointer) in [
        (json!({"email": "olga", "role": "sales"}), "/email"),
        (json!({"email": OLGA, "role": "king"}), "/role"),
        (json!({"email": OLGA, "role_id": nobody}), "/role_id"),
        (
            json!({"email": OLGA, "role": "sales", "branch_id": nobody}),
            "/branch_id",
        ),
        (
            json!({"email": OLGA, "role": "sales", "name": "a\u{7}"}),
            "/name",
        ),
    ] {
        let reply = dealer.post("/invitations", body).await;

        refused(&reply, 422, "fields_invalid");
        assert_eq!(reply.json["errors"][0]["pointer"], pointer);
    }
    let both = json!({"email": OLGA, "role": "sales", "role_id": nobody});
    dealer.post("/invitations", both).await.expect(422);
    dealer
        .post("/invitations", json!({"email": OLGA}))
        .await
        .expect(422);
}
