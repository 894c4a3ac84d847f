//! A spare is nobody's, until it is a dealer like any other.

use std::time::{Duration, Instant};

use server::db::{Address, Found};
use tests::{TestApp, eventually, tubex};

use super::raw;

const PASSWORD: &str = "a fine password for this dealer";

#[actix_web::test]
async fn a_dealer_made_from_a_spare_is_signed_into_within_a_second() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let before = app.state.directory.len();
    run(&app, &["spares", "--keep", "1"]).await;
    let schema: String =
        sqlx::query_scalar("SELECT schema_name FROM platform.tenant WHERE status = 'spare'")
            .fetch_one(&mut app.database.connect().await)
            .await
            .expect("a spare");

    // It was told of the spare too, before it is told of this.
    app.sql("UPDATE platform.tenant SET name = 'Told' WHERE slug = 'acme'")
        .await;
    eventually("what was told is known", async || {
        acme.get("/me").await.expect(200).json["dealer"]["name"] == "Told"
    })
    .await;
    assert_eq!(app.state.directory.len(), before);
    let spare = schema.replace("t_", "spare-");
    let found = app
        .state
        .directory
        .find(&Address::Slug(spare.clone()))
        .await;
    assert!(matches!(found, Found::Nobody), "{found:?}");
    let of = async |host: &str| {
        let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        raw(&app, &request).await
    };
    assert_eq!(
        of(&format!("{spare}.localhost")).await,
        of("nobody-at-all.localhost").await
    );

    let made = run(
        &app,
        &[
            "tenant",
            "create",
            "quick",
            "--name",
            "Quick",
            "--owner-email",
            "o@quick.example",
        ],
    )
    .await;
    let begun = Instant::now();
    let reply = app
        .stranger("quick.localhost")
        .sign_in("o@quick.example", PASSWORD)
        .await;

    assert!(made.contains("from a spare"), "{made}");
    reply.expect(200);
    assert!(
        begun.elapsed() < Duration::from_secs(1),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(app.database.schema_of("quick").await, schema);
}

/// Runs `tubex`, and says what it said.
async fn run(app: &TestApp, words: &[&str]) -> String {
    let url = app.database.owner_url();
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    let output = tokio::task::spawn_blocking(move || {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        tubex(&url, &words, &[("TUBEX_OWNER_PASSWORD", PASSWORD)])
    })
    .await
    .expect("it ends");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    said
}
