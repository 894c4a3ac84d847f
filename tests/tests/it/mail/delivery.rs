//! A message is there if its transaction committed, goes once, and survives whoever sends it.

use serde_json::json;
use tests::{ServerProcess, TestApp, eventually};

use super::sink::{Sink, Verdict};
use super::{Logged, OLGA, invite, jobs, log};

fn logged(status: &str, attempts: i32) -> Logged {
    Logged {
        recipient: Some(OLGA.to_owned()),
        kind: "invitation".to_owned(),
        status: status.to_owned(),
        attempts,
        refusal_code: None,
        is_sealed: status == "queued",
    }
}

/// By mail server; whoever is killed is missed after three seconds.
fn by_smtp(url: &str) -> [(&str, &str); 3] {
    [
        ("TUBEX_MAIL__TRANSPORT", "smtp"),
        ("TUBEX_MAIL__URL", url),
        ("TUBEX_JOBS__LEASE_MS", "3000"),
    ]
}

#[actix_web::test]
async fn a_message_waits_in_the_database_until_somebody_works() {
    let sink = Sink::start(&[]).await;
    let app = TestApp::start_with(&by_smtp(sink.url())).await;
    let dealer = app.dealer().await;

    invite(&dealer, OLGA, "sales").await.expect(201);

    assert_eq!(log(&app, &dealer).await, [logged("queued", 0)]);
    assert_eq!(sink.seen(), []);
    let _worker = ServerProcess::worker(&app.database, &by_smtp(sink.url())).await;
    let message = sink.next().await;
    assert!(message.text.contains("#token=") || message.text.contains("#token=3D"));
    eventually("it is known to be sent", async || {
        log(&app, &dealer).await == [logged("sent", 1)]
    })
    .await;
    assert_eq!(jobs(&app.database).await, 0);
}

#[actix_web::test]
async fn a_request_that_fails_sends_nothing() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;

    let refused = invite(&dealer, &dealer.email, "sales").await;

    assert_eq!(refused.status, 409);
    assert_eq!(log(&app, &dealer).await, []);
    assert_eq!(jobs(&app.database).await, 0);
}

/// The mail server has seen the whole message and says nothing: it was not taken.
#[actix_web::test]
async fn a_worker_that_is_killed_while_it_sends_loses_nothing_and_the_message_goes_once() {
    let sink = Sink::start(&[Verdict::Silence]).await;
    let app = TestApp::start_with(&by_smtp(sink.url())).await;
    let dealer = app.dealer().await;
    let mut first = ServerProcess::worker(&app.database, &by_smtp(sink.url())).await;

    invite(&dealer, OLGA, "sales").await.expect(201);
    eventually("it is being sent", async || sink.seen().len() == 1).await;
    first.kill();
    let second = ServerProcess::worker(&app.database, &by_smtp(sink.url())).await;

    let message = sink.next().await;
    eventually("it is known to be sent", async || {
        log(&app, &dealer).await == [logged("sent", 2)]
    })
    .await;
    drop(second);
    assert_eq!(sink.taken().len(), 1);
    assert_eq!(sink.seen()[0].id(), message.id());
}

#[actix_web::test]
async fn a_message_that_is_sent_again_is_the_same_message() {
    let sink = Sink::start(&[Verdict::Later, Verdict::NotNow]).await;
    let app = TestApp::start_with(&by_smtp(sink.url())).await;
    let dealer = app.dealer().await;

    invite(&dealer, OLGA, "sales").await.expect(201);
    app.work();

    let taken = sink.next().await;
    let seen = sink.seen();
    assert_eq!(seen.len(), 2, "one refused with all of it, one taken");
    assert_eq!(seen[0].id(), taken.id());
    let date = |text: &str| {
        let mut lines = text.lines();
        lines
            .find(|line| line.starts_with("Date: "))
            .unwrap()
            .to_owned()
    };
    assert_eq!(date(&seen[0].text), date(&taken.text));
    eventually("it is known to be sent", async || {
        log(&app, &dealer).await == [logged("sent", 3)]
    })
    .await;
    assert_eq!(sink.taken().len(), 1);
}

#[actix_web::test]
async fn what_a_message_is_made_of_is_sealed_and_gone_once_it_was_sent() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let schema = app.database.schema_of(&dealer.slug).await;
    let all = format!(
        "SELECT (SELECT string_agg(mail::text, ' ') FROM {schema}.mail mail)
             || (SELECT coalesce(string_agg(job::text, ' '), '') FROM jobs.job job)"
    );
    let text = async || {
        let text = sqlx::query_scalar::<_, String>(sqlx::AssertSqlSafe(all.as_str()));
        let read = text.fetch_one(&mut app.database.connect().await).await;
        read.unwrap()
    };

    invite(&dealer, OLGA, "sales").await.expect(201);
    let before = text().await;
    let token = app.token_for(OLGA, 1).await;
    app.all_mail_has_left().await;

    assert!(before.contains("mail.send") && !before.contains(&token));
    let hex: String = token.bytes().map(|byte| format!("{byte:02x}")).collect();
    assert!(!before.contains(&hex), "it is not encrypted");
    assert_eq!(log(&app, &dealer).await, [logged("sent", 1)]);
}

#[actix_web::test]
async fn a_message_for_nobody_costs_a_row_and_is_thrown_away() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;

    let body = json!({"email": "nobody@team.example"});
    let anybody = dealer.signed_out();
    anybody
        .post("/auth/forgot-password", body)
        .await
        .expect(202);

    let waiting = log(&app, &dealer).await;
    assert_eq!(waiting.len(), 1);
    assert_eq!(waiting[0].recipient, None);
    app.all_mail_has_left().await;
    assert_eq!(log(&app, &dealer).await, []);
    assert!(app.state.mailer.sent().is_empty());
}

#[actix_web::test]
async fn the_log_of_messages_is_swept_out() {
    let app = TestApp::start_with(&[("TUBEX_WORKER__PURGE", "* * * * * *")]).await;
    let dealer = app.dealer().await;
    invite(&dealer, OLGA, "sales").await.expect(201);
    app.mail_to(OLGA, 1).await;
    app.all_mail_has_left().await;

    app.advance(time::Duration::days(31));

    eventually("it is forgotten", async || {
        log(&app, &dealer).await.is_empty()
    })
    .await;
}
