//! The published libraries, unmodified, accept what we send, and nothing that was changed.

use serde_json::{Value, json};
use standardwebhooks::Webhook;
use tests::local::verifiers::Verifier;

use super::{Got, Receiver, endpoint, id_of, start};

/// What a library is asked, of a delivery as it came and of others that nobody of ours has sent.
struct Cases {
    good: Got,
    bad: Vec<Got>,
}

impl Cases {
    fn of(good: Got) -> Self {
        let changed = |name: &str, value: &str| {
            let mut got = good.clone();
            got.headers.insert(name.to_owned(), value.to_owned());
            got
        };
        let mut other_body = good.clone();
        other_body.body = good.body.replace("item.created", "item.retired");
        assert_ne!(other_body.body, good.body);
        let signature = &good.headers["webhook-signature"];
        let bad = vec![
            other_body,
            changed("webhook-id", "msg_another"),
            changed("webhook-timestamp", "1600000000"),
            changed("webhook-signature", &signature.replace("v1", "v9")),
        ];
        Self { good, bad }
    }
}

fn asked(got: &Got, name: &str, key: &Value) -> String {
    json!({"headers": got.headers, "body": got.body, name: key}).to_string()
}

async fn delivered() -> (Value, Cases) {
    let app = start().await;
    let dealer = app.dealer().await;
    let receiver = Receiver::start().await;
    let made = endpoint(&dealer, &receiver.url("/hook"), &["item.created"]).await;
    dealer
        .item("BRK-1", json!({"name": "Ziegel, groß — „rot“"}))
        .await;
    let got = receiver.got_all("/hook", 1).await.remove(0);
    assert!(!id_of(&made).is_empty());
    (made, Cases::of(got))
}

async fn verifies(verifier: Verifier, name: &'static str, key: Value, cases: Cases) {
    tokio::task::spawn_blocking(move || {
        let says = |got: &Got| verifier.says_of(&asked(got, name, &key));
        assert_eq!(says(&cases.good).unwrap(), "accepted");
        for bad in &cases.bad {
            assert_eq!(says(bad).unwrap(), "refused", "{bad:#?}");
        }
    })
    .await
    .unwrap();
}

#[actix_web::test]
async fn the_crate_accepts_what_we_send_and_nothing_that_was_changed() {
    let (made, cases) = delivered().await;
    let library = Webhook::new(made["secret"].as_str().unwrap()).unwrap();
    let verify = |got: &Got| {
        let mut headers = reqwest::header::HeaderMap::new();
        for (name, value) in &got.headers {
            let name: reqwest::header::HeaderName = name.parse().unwrap();
            headers.insert(name, value.parse().unwrap());
        }
        library.verify(got.body.as_bytes(), &headers)
    };

    verify(&cases.good).unwrap();
    for bad in &cases.bad {
        assert!(verify(bad).is_err(), "{bad:#?}");
    }
}

#[actix_web::test]
async fn the_package_of_npm_accepts_what_we_send_and_nothing_that_was_changed() {
    let (made, cases) = delivered().await;
    verifies(Verifier::Npm, "secret", made["secret"].clone(), cases).await;
}

#[actix_web::test]
async fn the_package_of_pypi_accepts_what_we_send_and_nothing_that_was_changed() {
    let (made, cases) = delivered().await;
    verifies(Verifier::PyPi, "secret", made["secret"].clone(), cases).await;
}

/// None of the libraries knows `v1a`; Node's own cryptography does.
#[actix_web::test]
async fn a_public_key_verifies_what_we_send_and_nothing_that_was_changed() {
    let (made, cases) = delivered().await;
    let key = made["endpoint"]["public_key"].clone();
    verifies(Verifier::Npm, "public_key", key, cases).await;
}
