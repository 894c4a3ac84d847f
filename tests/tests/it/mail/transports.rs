//! Messages leave by SMTP and into files, and no mail server is waited for.

use std::time::{Duration, Instant};

use tests::{TestApp, eventually};
use tokio::net::TcpListener;

use super::sink::{Sink, Verdict};
use super::{OLGA, invite};

#[actix_web::test]
async fn a_message_reaches_a_mail_server_in_both_forms() {
    let sink = Sink::start(&[]).await;
    let url = sink.url();
    let keys = [
        ("TUBEX_MAIL__TRANSPORT", "smtp"),
        ("TUBEX_MAIL__URL", url),
        ("TUBEX_JOBS__INSIDE", "true"),
        ("TUBEX_MAIL__FROM", "Tubex <hello@tubex.example>"),
    ];
    let app = TestApp::start_with(&keys).await;
    let dealer = app.new_dealer().await;

    invite(&dealer, OLGA, "sales").await.expect(201);
    let message = sink.next().await;

    assert_eq!(message.to, OLGA);
    for part in [
        "From: Tubex <hello@tubex.example>",
        "To: olga@team.example",
        "Subject: Your invitation to New Dealer",
        "multipart/alternative",
        "Auto-Submitted: auto-generated",
        "text/plain",
        "text/html",
    ] {
        assert!(message.text.contains(part), "{part}: {}", message.text);
    }
}

#[actix_web::test]
async fn a_message_that_a_mail_server_does_not_take_is_sent_again() {
    let sink = Sink::start(&[Verdict::Later]).await;
    let url = sink.url();
    let keys = [
        ("TUBEX_MAIL__TRANSPORT", "smtp"),
        ("TUBEX_MAIL__URL", url),
        ("TUBEX_JOBS__INSIDE", "true"),
    ];
    let app = TestApp::start_with(&keys).await;
    let dealer = app.new_dealer().await;

    invite(&dealer, OLGA, "sales").await.expect(201);

    assert_eq!(sink.next().await.to, OLGA);
}

#[actix_web::test]
async fn a_mail_server_that_is_away_or_silent_fails_and_delays_no_request() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = format!("smtp://{}", silent.local_addr().unwrap());
    for url in ["smtp://127.0.0.1:1", silent.as_str()] {
        let keys = [
            ("TUBEX_MAIL__TRANSPORT", "smtp"),
            ("TUBEX_MAIL__URL", url),
            ("TUBEX_JOBS__INSIDE", "true"),
            ("TUBEX_MAIL__TIMEOUT_MS", "60000"),
        ];
        let app = TestApp::start_with(&keys).await;
        let dealer = app.new_dealer().await;

        let since = Instant::now();
        invite(&dealer, OLGA, "sales").await.expect(201);

        assert!(since.elapsed() < Duration::from_secs(10), "it waited");
    }
}

#[actix_web::test]
async fn while_developing_messages_are_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mail");
    let keys = [
        ("TUBEX_MAIL__TRANSPORT", "files"),
        ("TUBEX_MAIL__DIRECTORY", path.to_str().unwrap()),
        ("TUBEX_HTTP__PUBLIC_PORT", "8080"),
        ("TUBEX_JOBS__INSIDE", "true"),
    ];
    let app = TestApp::start_with(&keys).await;
    let dealer = app.new_dealer().await;

    invite(&dealer, OLGA, "sales").await.expect(201);

    let link = format!("http://{}.localhost:8080/account/", dealer.slug);
    eventually("the file is written", async || {
        let files = std::fs::read_dir(&path).unwrap();
        files.map(Result::unwrap).any(|file| {
            let text = std::fs::read_to_string(file.path()).unwrap();
            text.replace("=\r\n", "").contains(&link)
        })
    })
    .await;
}
