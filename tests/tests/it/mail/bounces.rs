//! Addresses from which mail comes back.

use serde_json::{Value, json};
use server::tenant::notifications::Kind;
use tests::{Actor, Dealer, TestApp, eventually};

use super::sink::{Sink, Verdict};
use super::{OLGA, invite, jobs, log};
use crate::platform::operator;

async fn marked_at(dealer: &Dealer, id: &str) -> Value {
    let member = dealer.get(&format!("/members/{id}")).await.expect(200);
    member.json["mail_bounced_at"].clone()
}

async fn id_of(who: &Actor) -> String {
    let me = who.get("/me").await.expect(200).json;
    me["id"].as_str().unwrap().to_owned()
}

/// A server whose mail goes to this sink.
async fn sending_to(sink: &Sink) -> TestApp {
    let keys = [
        ("TUBEX_MAIL__TRANSPORT", "smtp"),
        ("TUBEX_MAIL__URL", sink.url()),
    ];
    TestApp::start_with(&keys).await
}

#[actix_web::test]
async fn an_address_that_a_mail_server_refuses_for_good_is_marked_and_not_tried_again() {
    let sink = Sink::start(&[Verdict::Never]).await;
    let app = sending_to(&sink).await;
    let dealer = app.dealer().await;
    let me = id_of(&dealer).await;

    let body = json!({"email": dealer.email});
    let anybody = dealer.signed_out();
    anybody
        .post("/auth/forgot-password", body)
        .await
        .expect(202);
    app.all_mail_has_left().await;

    let log = log(&app, &dealer).await;
    assert_eq!(log[0].status, "bounced");
    assert_eq!(log[0].refusal_code, Some(550));
    assert!(!log[0].is_sealed);
    assert!(marked_at(&dealer, &me).await.is_string());
    assert_eq!(jobs(&app.database).await, 0);
    assert_eq!(sink.seen(), []);
}

/// How we sign in, or what a relay puts up with, is for operators to mend.
#[actix_web::test]
async fn a_refusal_that_is_not_about_the_address_is_a_dead_letter_that_can_be_tried_again() {
    for (verdict, code) in [(Verdict::NotYou, 530), (Verdict::TooMuch, 552)] {
        let sink = Sink::start(&[verdict]).await;
        let app = sending_to(&sink).await;
        let dealer = app.dealer().await;
        let me = id_of(&dealer).await;
        invite(&dealer, OLGA, "sales").await.expect(201);
        app.work();

        let mut dead = Value::Null;
        eventually("it is a dead letter", async || {
            let list = dealer.get("/jobs?kind=mail.send&state=dead").await;
            dead = list.expect(200).json["data"][0].clone();
            dead.is_object()
        })
        .await;

        assert_eq!(dead["attempts"], 1);
        let cause = format!("the mail server answered {code}, which is not about the address");
        assert_eq!(dead["last_error"], cause);
        let failed = &log(&app, &dealer).await[0];
        assert_eq!(failed.status, "failed");
        assert_eq!(failed.refusal_code, Some(code));
        assert!(failed.is_sealed, "it can be tried again");
        assert_eq!(marked_at(&dealer, &me).await, Value::Null);
        let path = format!("/jobs/{}/retry", dead["id"].as_str().unwrap());
        dealer.post(&path, json!({})).await.expect(200);
        assert_eq!(sink.next().await.to, OLGA);
        eventually("it is known to be sent", async || {
            log(&app, &dealer).await[0].status == "sent"
        })
        .await;
    }
}

#[actix_web::test]
async fn where_mail_comes_back_only_what_cant_be_done_without_is_sent() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let schema = app.database.schema_of(&dealer.slug).await;
    let me = id_of(&dealer).await;
    let mark = format!("UPDATE {schema}.member SET mail_bounced_at = now() WHERE id = '{me}'");
    app.sql(&mark).await;

    app.tell(&dealer, &me, Kind::ImportFailed, json!({})).await;
    app.tell(&dealer, &me, Kind::SecondFactorRemoved, json!({}))
        .await;
    app.all_mail_has_left().await;

    let log = log(&app, &dealer).await;
    let of = |kind: &str| log.iter().find(|one| one.kind == kind).unwrap();
    assert_eq!(of("notice").status, "suppressed");
    assert!(!of("notice").is_sealed);
    assert_eq!(of("second_factor_removed").status, "sent");
    assert_eq!(app.mails_to(&dealer.email).len(), 1);
}

#[actix_web::test]
async fn whoever_confirms_their_address_is_written_to_again() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let schema = app.database.schema_of(&dealer.slug).await;
    let me = id_of(&dealer).await;
    let mark = format!("UPDATE {schema}.member SET mail_bounced_at = now() WHERE id = '{me}'");
    app.sql(&mark).await;

    dealer.post("/me/verify-email", json!({})).await.expect(202);
    let token = app.token_for(&dealer.email, 1).await;
    let body = json!({ "token": token });
    let anybody = dealer.signed_out();
    anybody.post("/auth/verify-email", body).await.expect(204);

    assert_eq!(marked_at(&dealer, &me).await, Value::Null);
}

#[actix_web::test]
async fn operators_say_that_mail_came_back_and_saying_it_twice_is_saying_it_once() {
    let app = crate::platform::app().await;
    let (dealer, other) = (app.dealer().await, app.dealer().await);
    let admin = operator(&app, "support").await;
    invite(&dealer, OLGA, "sales").await.expect(201);
    let token = app.token_for(OLGA, 1).await;
    let body = json!({"token": token, "name": "Olga", "password": "seldom gravel heron 4"});
    let anybody = dealer.signed_out();
    let accepted = anybody
        .post("/auth/accept-invitation", body)
        .await
        .expect(200);
    let olga = dealer.with_token(accepted.json["access_token"].as_str().unwrap());
    let id = id_of(&olga).await;
    let say = async |kind: &str| {
        let body = json!({"address": OLGA, "kind": kind, "at": "2024-03-01T08:00:00Z"});
        let said = admin.post("/platform/v1/mail-bounces", body).await;
        said.expect(200).json["marked"].as_u64().unwrap()
    };

    assert_eq!(say("transient").await, 0);
    assert_eq!(marked_at(&dealer, &id).await, Value::Null);
    let mut marked = 0;
    // That she is a member here is remembered beside the answer.
    eventually("it is known where she is a member", async || {
        marked += say("permanent").await;
        marked > 0
    })
    .await;

    assert_eq!(marked, 1);
    assert_eq!(say("complaint").await, 0);
    assert_eq!(marked_at(&dealer, &id).await, "2024-03-01T08:00:00Z");
    let records = dealer.get("/audit-records?action=member.mail_bounce").await;
    assert_eq!(
        records.expect(200).json["data"].as_array().unwrap().len(),
        1
    );
    let records = other.get("/audit-records?action=member.mail_bounce").await;
    assert_eq!(records.expect(200).json["data"], json!([]));
}
