//! Requests that nobody thought of: made up from the document, with values that fit it and values
//! that don't. The server answers all of them, and as the document says.
//!
//! `FUZZ_EXAMPLES` and `FUZZ_SEED` make it more, or another; `make fuzz` sets them.

mod found;

use serde_json::json;
use tests::TestApp;
use tests::local::fuzzer::fuzzer;

use crate::openapi::operations;

/// For each operation and each way to make values up. Enough to meet every operation in every way;
/// `make soak` looks for what is rare.
const EXAMPLES: &str = "4";
const SEED: &str = "20260131";
/// The operations are dealt to so many tests, which run side by side.
const HANDS: usize = 4;
/// What somebody may ask for in a minute is meant for people.
const NO_LIMITS: [(&str, &str); 5] = [
    ("TUBEX_LIMITS__ADDRESS_PER_MINUTE", "0"),
    ("TUBEX_LIMITS__AUTH_PER_MINUTE", "0"),
    ("TUBEX_LIMITS__READ_PER_MINUTE", "0"),
    ("TUBEX_LIMITS__WRITE_PER_MINUTE", "0"),
    ("TUBEX_LIMITS__TENANT_PER_MINUTE", "0"),
];

/// Lets the fuzzer loose, as a dealer's owner, on one hand of the operations.
async fn fuzz(hand: usize) {
    let app = TestApp::start_with(&NO_LIMITS).await;
    let dealer = app.dealer().await;
    let group = dealer
        .post("/item-groups", json!({"name": "Masonry"}))
        .await;
    let group = group.expect(201).json["id"].clone();
    let price = json!({"amount": "1.50", "currency": "EUR"});
    dealer
        .item("BRK-1", json!({"group_id": group, "price": price}))
        .await;
    let stranger = dealer.signed_out();
    let served = stranger.get("/api/openapi.json").await.expect(200);
    let document = tempfile::NamedTempFile::with_suffix(".json").unwrap();
    std::fs::write(document.path(), &served.body).unwrap();

    let token = dealer.token.as_ref().unwrap();
    let mut fuzzer = fuzzer().expect("the fuzzer; run `make test`, which fetches it");
    fuzzer
        .arg("run")
        .arg(document.path())
        .args(["--url", app.base()])
        .args(["--header", &format!("Host: {}", dealer.host)])
        .args(["--header", &format!("Authorization: Bearer {token}")])
        .args(["--phases", "examples,coverage,fuzzing"])
        .args(["--max-examples", &chosen("FUZZ_EXAMPLES", EXAMPLES)])
        .args(["--seed", &chosen("FUZZ_SEED", SEED)]);
    for operation in operations(&served.json).iter().skip(hand).step_by(HANDS) {
        let id = operation.says["operationId"].as_str().unwrap();
        fuzzer.args(["--include-operation-id", id]);
    }
    let output = tokio::task::spawn_blocking(move || fuzzer.output().unwrap())
        .await
        .unwrap();

    let report = String::from_utf8_lossy(&output.stdout);
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{report}{complaints}");
    println!("{report}");
    assert!(report.contains("Test cases:"), "{report}");
    // Else the rest of it was about being nobody.
    let still = dealer.get("/me").await;
    assert_eq!(
        still.status, 200,
        "an operation ended the session of the run: leave it out in tests/fuzz/schemathesis.toml"
    );
}

fn chosen(name: &str, usual: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| usual.to_owned())
}

#[actix_web::test]
async fn made_up_requests_are_answered_as_the_document_says_first_hand() {
    fuzz(0).await;
}

#[actix_web::test]
async fn made_up_requests_are_answered_as_the_document_says_second_hand() {
    fuzz(1).await;
}

#[actix_web::test]
async fn made_up_requests_are_answered_as_the_document_says_third_hand() {
    fuzz(2).await;
}

#[actix_web::test]
async fn made_up_requests_are_answered_as_the_document_says_fourth_hand() {
    fuzz(3).await;
}
