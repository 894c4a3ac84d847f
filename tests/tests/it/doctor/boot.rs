//! A server serves nobody before the walls were seen to stand, and ends when they don't.

use std::time::Duration;

use server::Application;
use server::config::Config;
use server::kernel::Clock;
use tests::{Scratch, TestApp, Wire, eventually};
use time::OffsetDateTime;

use super::OwnFleet;
use crate::process::program::{TOKEN_SECRET, command};

#[actix_web::test]
async fn a_server_refuses_to_serve_over_a_broken_wall_and_says_why() {
    let fleet = OwnFleet::new().await;
    let lane = fleet.lane_of("acme").await;
    fleet.sql(&format!("ALTER ROLE {lane} SUPERUSER")).await;

    for role in ["api", "worker"] {
        let output = command(&fleet.database, &[]).arg(role).output().unwrap();

        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            said.contains("refusing to serve") && said.contains("lane_logins"),
            "{said}"
        );
        let log = String::from_utf8_lossy(&output.stdout);
        let events = log
            .lines()
            .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        let failed: Vec<_> = events.filter(|event| event["level"] == "ERROR").collect();
        let login = failed.iter().find(|event| event["check"] == "lane_logins");
        let login = login.unwrap_or_else(|| panic!("{log}"));
        assert!(login["detail"].as_str().unwrap().contains(&lane));
        assert!(login["remedy"].as_str().unwrap().contains("NOSUPERUSER"));
    }
}

#[actix_web::test]
async fn running_ends_with_an_error_when_connections_will_not_suffice() {
    let database = Scratch::with_dealers().await;
    let (url, storage) = (database.server_url(), database.storage());
    let keys = [
        ("TUBEX_HTTP__LISTEN", "127.0.0.1:0"),
        ("TUBEX_HTTP__WORKERS", "1"),
        ("TUBEX_STORAGE__DIRECTORY", storage.as_str()),
        ("TUBEX_METRICS__LISTEN", "127.0.0.1:0"),
        ("TUBEX_DATABASE__URL", url.as_str()),
        ("TUBEX_DATABASE__SECRET", database.secret()),
        ("TUBEX_DATABASE__PROCESSES", "1000"),
        ("TUBEX_AUTH__TOKEN_SECRET", TOKEN_SECRET),
    ];
    let keys = keys.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let config = Config::from_environment(keys).unwrap();
    let clock = Clock::new(OffsetDateTime::now_utc);
    let application = Application::build(config, clock).await.unwrap();

    let ended = tokio::time::timeout(Duration::from_secs(20), application.run()).await;

    let error = ended.expect("it doesn't serve").unwrap_err().to_string();
    assert!(error.contains("connections"), "{error}");
}

#[actix_web::test]
async fn dealers_are_told_to_come_back_until_the_walls_were_examined() {
    let database = Scratch::with_dealers().await;
    let wire = Wire::to(&database).await;
    // A question that only the doctor asks.
    wire.hold_after("pg_auth_members");
    let keys = [
        ("TUBEX_DATABASE__URL", wire.url()),
        ("TUBEX_DATABASE__ACQUIRE_TIMEOUT_MS", "20000"),
    ];
    let app = TestApp::start_unready(database, &keys).await;
    wire.holds().await;
    let acme = app.stranger("acme.localhost");
    eventually("the directory has been read", async || {
        acme.get("/readyz").await.json["directory"] == "ok"
    })
    .await;

    let reply = acme.get("/").await.expect(503);
    assert_eq!(reply.problem(), "unavailable");
    assert!(!reply.header("retry-after").is_empty());
    let ready = acme.get("/readyz").await.expect(503);
    assert_eq!(ready.json["isolation"], "not checked yet");
    acme.get("/livez").await.expect(200);

    wire.mend();
    eventually("the server is ready", async || {
        acme.get("/readyz").await.status == 200
    })
    .await;
    acme.get("/").await.expect(200);
    assert_eq!(acme.get("/readyz").await.json["isolation"], "ok");
}

#[actix_web::test]
async fn what_only_warns_keeps_nobody_waiting() {
    let database = Scratch::with_dealers().await;
    sqlx::query("UPDATE platform.tenant SET schema_version = 'm0001_team' WHERE slug = 'bolt'")
        .execute(&mut database.connect().await)
        .await
        .unwrap();

    let app = TestApp::start_on(database, &[]).await;

    app.stranger("acme.localhost").get("/").await.expect(200);
}
