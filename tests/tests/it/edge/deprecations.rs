//! What will go away says so on every answer, and who still calls it is counted.

use std::sync::{Arc, Mutex};

use server::deprecations::{Caller, Deprecations};
use server::kernel::TenantKey;
use tests::{TestApp, eventually};
use uuid::Uuid;

const UNITS: (&str, &str) = (
    "TUBEX_API__DEPRECATED",
    "list_units 2026-07-01 2027-01-01 https://tubex.example/changes#units; \
     sign_in 2026-08-01 2027-02-01 https://tubex.example/changes#sign-in",
);

#[actix_web::test]
async fn a_deprecated_operation_says_since_when_until_when_and_what_instead() {
    let app = TestApp::start_with(&[UNITS]).await;
    let acme = app.dealer().await;

    let list = acme.get("/units?limit=1").await.expect(200);
    let refused = acme.signed_out().get("/units").await.expect(401);

    for reply in [&list, &refused] {
        assert_eq!(reply.header("deprecation"), "@1782864000"); // 2026-07-01
        assert_eq!(reply.header("sunset"), "Fri, 01 Jan 2027 00:00:00 GMT");
        let links: Vec<_> = reply.headers.get_all("link").iter().collect();
        let link = "<https://tubex.example/changes#units>; rel=\"deprecation\"";
        assert!(links.iter().any(|one| *one == link), "{links:?}");
    }
    let to_next = list.headers.get_all("link").iter();
    assert_eq!(to_next.count(), 2, "beside the link to the next page");
    for path in ["/units/pcs", "/items", "/me", "/nowhere"] {
        let reply = acme.get(path).await;
        assert_eq!(reply.header("deprecation"), "", "{path}");
        assert_eq!(reply.header("sunset"), "", "{path}");
    }
}

#[actix_web::test]
async fn without_a_word_of_it_nothing_is_deprecated() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;

    assert_eq!(acme.get("/units").await.header("deprecation"), "");
}

#[actix_web::test]
async fn calls_are_counted_by_operation() {
    let app = TestApp::start_with(&[UNITS]).await;
    let acme = app.dealer().await; // signs in once
    for _ in 0..3 {
        acme.get("/units").await.expect(200);
    }

    let stranger = reqwest::Client::new();
    eventually("the calls are told", async || {
        let url = format!("{}/metrics", app.metrics_base());
        let text = stranger
            .get(url)
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
        let count = |operation: &str| -> u32 {
            let name = format!("tubex_deprecated_calls_total{{operation=\"{operation}\"");
            let lines = text.lines().filter(|line| line.starts_with(&name));
            let counts = lines.filter_map(|line| line.rsplit(' ').next()?.parse::<u32>().ok());
            counts.sum()
        };
        count("list_units") == 3 && count("sign_in") == 1 && count("list_items") == 0
    })
    .await;
}

#[actix_web::test]
async fn calls_with_a_key_are_told_to_who_listens() {
    let app = TestApp::start_with(&[UNITS]).await;
    let heard = Arc::new(Mutex::new(Vec::new()));
    let ears = heard.clone();
    let (tenant, key) = (TenantKey::of(Uuid::now_v7()), Uuid::now_v7());
    // Beside the server's own, who listens already.
    let deprecations = Deprecations::new(&app.state.config.api);
    deprecations.tell(move |tenant, key, operation| {
        ears.lock()
            .unwrap()
            .push((tenant, key, operation.to_owned()));
    });

    deprecations.seen("list_units", Caller::Member);
    deprecations.seen("list_units", Caller::ApiKey(tenant, key));

    let heard = heard.lock().unwrap().clone();
    assert_eq!(heard, [(tenant, key, "list_units".to_owned())]);
}

#[test]
fn an_entry_that_can_not_be_read_keeps_the_server_from_starting() {
    for wrong in [
        "list_units",
        "list_units 2026-07-01 2027-01-01",
        "list_units soon 2027-01-01 https://tubex.example",
        "list_units 2026-07-01 2027-13-01 https://tubex.example",
        "list_units 2026-07-01 2027-01-01 https://tubex.example/>",
    ] {
        let keys = [
            ("TUBEX_API__DEPRECATED", wrong),
            ("TUBEX_DATABASE__URL", "postgres://nobody@localhost/none"),
            (
                "TUBEX_DATABASE__SECRET",
                "a secret that is long enough for this",
            ),
            (
                "TUBEX_AUTH__TOKEN_SECRET",
                "a secret that is long enough for this",
            ),
        ];
        let keys = keys.map(|(key, value)| (key.to_owned(), value.to_owned()));

        let error = server::config::Config::from_environment(keys).unwrap_err();

        assert!(error.to_string().contains("two days and a link"), "{error}");
    }
}
