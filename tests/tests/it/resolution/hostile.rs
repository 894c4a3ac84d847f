//! Names that mean harm, at creation and as hosts; and a directory that can't be read.

use tests::{Scratch, TestApp, tubex};

use super::raw;

/// Names that nobody gets.
const REFUSED: &[&str] = &[
    "C2",
    "\"; drop schema platform cascade; --",
    "'; drop table tenant; --",
    "t_0000000000000000",
    "😀",
    "аcme",         // Cyrillic а
    "xn--cme-8cd",  // the same as browsers write it
    "ａｃｍｅ",     // full-width letters
    "acme\u{200b}", // with a blank of no width
    "acme.bolt",
    "../acme",
    "acme\n",
    "acme\0",
    "123456",
    "www",
    "api",
    "admin",
    "localhost",
    "pg_catalog",
    "a",
    "",
    " ",
    "-",
    "x234567890123456789012345678901234567890123456789012345678901234", // 64 characters
];

#[actix_web::test]
async fn a_hostile_name_is_refused_at_creation_and_leads_nowhere_as_a_host() {
    let app = TestApp::start().await;
    let before = schemas(&app).await;
    let mut wrong = Vec::new();

    for name in REFUSED {
        // No program can be given a NUL.
        if !name.contains('\0') {
            let more = ["--name", "Hostile", "--owner-email", "o@hostile.example"];
            let url = app.database.owner_url();
            let words = [&["tenant", "create"], &more[..], &["--", name]].concat();
            let output = tubex(&url, &words, &[]);
            if output.status.code() != Some(2) {
                wrong.push(format!("create {name:?}: {:?}", output.status.code()));
            }
        }
        for host in [format!("{name}.localhost"), (*name).to_owned()] {
            let is_itself = ["C2.localhost", "ａｃｍｅ.localhost"].contains(&host.as_str());
            let request =
                format!("GET /api/v1/me HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
            let answer = raw(&app, &request).await;
            // 401 is a dealer's answer; 400 and 404 are nobody's. Full-width letters are folded as
            // browsers fold them, and then they are acme.
            let is_fine = match answer.status {
                400 | 404 => true,
                401 => is_itself,
                _ => false,
            };
            if !is_fine {
                wrong.push(format!("Host {host:?}: {} {}", answer.status, answer.body));
            }
        }
    }

    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(schemas(&app).await, before);
}

#[actix_web::test]
async fn words_of_sql_are_names_like_any_other() {
    let app = TestApp::start().await;
    let names = ["select", "table", "user", "c2"];
    app.database.add_dealers(&names, 500).await;

    for name in names {
        for host in [
            format!("{name}.localhost"),
            format!("{}.localhost", name.to_uppercase()),
            format!("{name}.localhost.:8080"),
        ] {
            let dealer = app.stranger(&host);
            let email = format!("owner@{name}.example");
            tests::eventually("the dealer is known", async || {
                dealer.get("/").await.status == 200
            })
            .await;
            let reply = dealer.sign_in(&email, "a fine password for tests").await;
            let token = reply.expect(200).json["access_token"].clone();
            let owner = dealer.with_token(token.as_str().unwrap());
            let me = owner.get("/me").await.expect(200);
            assert_eq!(me.json["dealer"]["slug"], name, "{host}");
        }
    }
}

/// A server that can't read who lives where serves nobody, rather than somebody else.
#[actix_web::test]
async fn a_directory_that_can_not_be_read_serves_nobody() {
    let database = Scratch::with_dealers().await;
    let unread = "REVOKE SELECT ON ALL TABLES IN SCHEMA platform FROM tubex_server";
    sqlx::raw_sql(unread)
        .execute(&mut database.connect().await)
        .await
        .unwrap();
    let app = TestApp::start_unready(database, &[]).await;

    for host in ["acme.localhost", "bolt.localhost", "nobody.localhost"] {
        for path in ["/", "/me", "/items"] {
            let reply = app.stranger(host).get(path).await;
            assert_eq!(reply.status, 503, "{host}{path}: {}", reply.text());
            assert!(!reply.header("retry-after").is_empty());
        }
    }
    app.stranger("acme.localhost")
        .get("/readyz")
        .await
        .expect(503);
}

/// One that can't be read any more goes on with what it knew, and makes up nothing.
#[actix_web::test]
async fn a_directory_that_is_lost_later_invents_nobody() {
    let app = TestApp::start().await;
    let (acme, bolt) = (app.dealer().await, app.dealer().await);
    app.sql("REVOKE SELECT ON ALL TABLES IN SCHEMA platform FROM tubex_server")
        .await;
    // Told of a change that it can't read.
    app.sql("UPDATE platform.tenant SET slug = 'moved' WHERE slug = 'bolt'")
        .await;

    for _ in 0..5 {
        let reply = acme.get("/me").await;
        let is_fine = match reply.status.as_u16() {
            200 => reply.json["dealer"]["slug"] == "acme",
            status => status == 503,
        };
        assert!(is_fine, "{}", reply.text());
        for (host, token) in [("bolt.localhost", &bolt), ("moved.localhost", &acme)] {
            let reply = token.at(host).get("/me").await;
            assert_ne!(reply.json["dealer"]["slug"], "acme", "{}", reply.text());
        }
        let nobody = app.stranger("unheard-of.localhost").get("/me").await;
        assert!([404, 503].contains(&nobody.status.as_u16()));
    }
}

async fn schemas(app: &TestApp) -> Vec<String> {
    sqlx::query_scalar("SELECT nspname::text FROM pg_namespace ORDER BY nspname")
        .fetch_all(&mut app.database.connect().await)
        .await
        .unwrap()
}
