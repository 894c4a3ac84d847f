//! Messages leave by SMTP and into files, and no mail server is waited for.

use std::time::{Duration, Instant};

use tests::{TestApp, eventually};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use super::invite;

const OLGA: &str = "olga@team.example";

/// A mail server that takes what it is sent: recipient and message.
async fn mail_server(refusals: usize) -> (String, mpsc::UnboundedReceiver<(String, String)>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://{}", listener.local_addr().unwrap());
    let (taken, letters) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut refusals = refusals;
        while let Ok((stream, _)) = listener.accept().await {
            let is_refused = refusals > 0;
            refusals = refusals.saturating_sub(1);
            tokio::spawn(converse(stream, is_refused, taken.clone()));
        }
    });
    (url, letters)
}

/// As RFC 5321 has it, as far as one message needs it.
async fn converse(
    stream: TcpStream,
    is_refused: bool,
    taken: mpsc::UnboundedSender<(String, String)>,
) -> Option<()> {
    let (reading, mut writing) = stream.into_split();
    let mut lines = BufReader::new(reading).lines();
    let (mut to, mut message, mut is_data) = (String::new(), String::new(), false);
    writing.write_all(b"220 mail.example\r\n").await.ok()?;
    while let Ok(Some(line)) = lines.next_line().await {
        let answer = if is_data {
            if line != "." {
                message += &line;
                message.push('\n');
                continue;
            }
            is_data = false;
            taken
                .send((to.clone(), std::mem::take(&mut message)))
                .ok()?;
            "250 taken"
        } else {
            match line.split([' ', ':']).next().unwrap_or_default() {
                "EHLO" => "250 mail.example",
                "MAIL" if is_refused => "451 come again",
                "RCPT" => {
                    to.clone_from(&line);
                    "250 fine"
                }
                "DATA" => {
                    is_data = true;
                    "354 go on"
                }
                "QUIT" => "221 bye",
                _ => "250 fine",
            }
        };
        let answer = format!("{answer}\r\n");
        writing.write_all(answer.as_bytes()).await.ok()?;
    }
    Some(())
}

#[actix_web::test]
async fn a_message_reaches_a_mail_server_in_both_forms() {
    let (url, mut letters) = mail_server(0).await;
    let keys = [
        ("TUBEX_MAIL__TRANSPORT", "smtp"),
        ("TUBEX_MAIL__URL", url.as_str()),
        ("TUBEX_JOBS__INSIDE", "true"),
        ("TUBEX_MAIL__FROM", "Tubex <hello@tubex.example>"),
    ];
    let app = TestApp::start_with(&keys).await;
    let dealer = app.new_dealer().await;

    invite(&dealer, OLGA, "sales").await.expect(201);
    let (to, message) = letters.recv().await.unwrap();

    assert!(to.contains("<olga@team.example>"), "{to}");
    for part in [
        "From: Tubex <hello@tubex.example>",
        "To: olga@team.example",
        "Subject: Your invitation to New Dealer",
        "multipart/alternative",
        "text/plain",
        "text/html",
    ] {
        assert!(message.contains(part), "{part}: {message}");
    }
}

#[actix_web::test]
async fn a_message_that_a_mail_server_does_not_take_is_sent_again() {
    let (url, mut letters) = mail_server(1).await;
    let keys = [
        ("TUBEX_MAIL__TRANSPORT", "smtp"),
        ("TUBEX_MAIL__URL", url.as_str()),
        ("TUBEX_JOBS__INSIDE", "true"),
    ];
    let app = TestApp::start_with(&keys).await;
    let dealer = app.new_dealer().await;

    invite(&dealer, OLGA, "sales").await.expect(201);

    assert!(letters.recv().await.unwrap().0.contains(OLGA));
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
