//! Requests that nobody thought of: made up from the document, with values that fit it and values
//! that don't. The server answers all of them, and as the document says.
//!
//! `FUZZ_EXAMPLES` and `FUZZ_SEED` make it more, or another; `make fuzz` sets them.

mod found;

use serde_json::json;
use tests::local::fuzzer::fuzzer;
use tests::{Actor, TestApp};

/// For each operation and each way to make values up. Enough to meet every operation in every way;
/// `make soak` looks for what is rare.
const EXAMPLES: &str = "5";
const SEED: &str = "20260131";

/// Lets the fuzzer loose on what somebody may do.
async fn fuzz(app: &TestApp, who: &Actor, more: &[&str]) {
    let document = tempfile::NamedTempFile::with_suffix(".json").unwrap();
    let served = who.signed_out().get("/api/openapi.json").await.expect(200);
    std::fs::write(document.path(), &served.body).unwrap();
    let said = |name: &str, usual: &str| std::env::var(name).unwrap_or_else(|_| usual.to_owned());
    let mut fuzzer = fuzzer().expect("the fuzzer; run `make test`, which fetches it");
    fuzzer
        .arg("run")
        .arg(document.path())
        .args(["--url", app.base()])
        .args(["--header", &format!("Host: {}", who.host)])
        .args([
            "--header",
            &format!("Authorization: Bearer {}", who.token.as_ref().unwrap()),
        ])
        .args(["--max-examples", &said("FUZZ_EXAMPLES", EXAMPLES)])
        .args(["--seed", &said("FUZZ_SEED", SEED)])
        .args(more);

    let output = tokio::task::spawn_blocking(move || fuzzer.output().unwrap())
        .await
        .unwrap();

    let report = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{report}");
    assert!(report.contains("Test cases:"), "{report}");
    // Else most of it was about being nobody.
    let me = if who.host.starts_with("admin.") {
        "/platform/v1/me"
    } else {
        "/me"
    };
    let still = who.get(me).await;
    assert_eq!(
        still.status, 200,
        "some operation ended the session of the run: leave it out in tests/fuzz/schemathesis.toml"
    );
}

#[actix_web::test]
async fn an_owners_made_up_requests_are_answered_as_the_document_says() {
    // The limits are for people.
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let group = dealer
        .post("/item-groups", json!({"name": "Masonry"}))
        .await;
    let group = group.expect(201).json["id"].clone();
    let price = json!({"amount": "1.50", "currency": "EUR"});
    dealer
        .item("BRK-1", json!({"group_id": group, "price": price}))
        .await;

    fuzz(&app, &dealer, &["--phases", "examples,coverage,fuzzing"]).await;
}
