//! Clients that generators make of our document work against our server: in each language one
//! signs in, loads a price file, finds an item in it, changes it, is too late once, and signs out.

use std::io::Write as _;

use serde_json::{Value, json};
use tests::TestApp;
use tests::local::clients::Language;

const PRICES: &str = "sku,name,unit,price\nBRK-1,Facing brick,pcs,1.50\n";

async fn sells(language: Language) {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    let mut prices = tempfile::NamedTempFile::with_suffix(".csv").unwrap();
    prices.write_all(PRICES.as_bytes()).unwrap();
    let variables = [
        ("TUBEX_ADDRESS", app.base().replace("http://", "")),
        ("TUBEX_HOST", dealer.host.clone()),
        ("TUBEX_EMAIL", dealer.email.clone()),
        ("TUBEX_PASSWORD", dealer.password.clone()),
        ("TUBEX_PRICE_FILE", prices.path().display().to_string()),
    ];

    let output = tokio::task::spawn_blocking(move || {
        let mut driver = language
            .driver()
            .unwrap_or_else(|error| panic!("{error:#}"));
        driver.envs(variables).output().unwrap()
    })
    .await
    .unwrap();

    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaints}");
    let saw: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        saw,
        json!({
            "email": dealer.email,
            "created": 1,
            "sku": "BRK-1",
            "amount": "1.5",
            "name": "Red brick",
            "late": "precondition_failed",
            "after": "unauthenticated",
        })
    );
    let items = dealer.get("/items?sku=BRK-1").await.expect(200).json;
    assert_eq!(items["data"][0]["name"], "Red brick");
}

#[actix_web::test]
async fn a_client_in_rust_sells_a_brick() {
    sells(Language::Rust).await;
}

#[actix_web::test]
async fn a_client_in_python_sells_a_brick() {
    sells(Language::Python).await;
}

#[actix_web::test]
async fn a_client_in_typescript_sells_a_brick() {
    sells(Language::TypeScript).await;
}
