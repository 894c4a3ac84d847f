//! Endpoints: named by those who may, on the internet, with a secret that is shown once.

use serde_json::{Value, json};
use tests::TestApp;

use super::{KEYS, Receiver, endpoint, id_of, once_it_is, post, start};

#[actix_web::test]
async fn a_secret_is_shown_once_and_lies_in_the_database_sealed() {
    let app = start().await;
    let dealer = app.dealer().await;

    let made = endpoint(&dealer, "https://1.1.1.1/hook", &["item.*"]).await;

    let secret = made["secret"].as_str().unwrap();
    assert!(secret.starts_with("whsec_"), "{made}");
    let public = made["endpoint"]["public_key"].as_str().unwrap();
    assert!(public.starts_with("whpk_"), "{made}");
    let path = format!("/webhook-endpoints/{}", id_of(&made));
    for seen in [
        dealer.get(&path).await.expect(200).text(),
        dealer.get("/webhook-endpoints").await.expect(200).text(),
        dealer.get("/audit-records").await.expect(200).text(),
    ] {
        assert!(!seen.contains(secret) && seen.contains("1.1.1.1"), "{seen}");
    }
    let schema = app.database.schema_of(&dealer.slug).await;
    let sealed: Vec<Vec<u8>> = sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
        "SELECT sealed_secret FROM {schema}.webhook_secret"
    )))
    .fetch_all(&mut app.database.connect().await)
    .await
    .unwrap();
    assert_eq!(sealed.len(), 2);
    use base64::Engine;
    let plain = base64::engine::general_purpose::STANDARD
        .decode(&secret["whsec_".len()..])
        .unwrap();
    for row in sealed {
        assert!(!row.windows(plain.len()).any(|part| part == plain));
    }
}

#[actix_web::test]
async fn an_endpoint_is_changed_at_its_version_and_removed_with_what_was_delivered() {
    let app = start().await;
    let dealer = app.dealer().await;
    let receiver = Receiver::start().await;
    let made = endpoint(&dealer, &receiver.url("/a"), &["item.*"]).await;
    let path = format!("/webhook-endpoints/{}", id_of(&made));

    let change = json!({"description": "the ERP", "event_types": ["*"]});
    let changed = dealer.patch(&path, 1, change.clone()).await.expect(200);
    let late = dealer.patch(&path, 1, change).await;
    post(&dealer, &format!("{path}/test")).await.expect(202);
    let delivered = once_it_is(&dealer, id_of(&made), "delivered").await;
    dealer.delete(&path).await.expect(204);

    assert_eq!(changed.json["description"], "the ERP");
    assert_eq!(changed.header("etag"), "\"2\"");
    assert_eq!(late.problem(), "precondition_failed");
    let gone = format!("/webhook-deliveries/{}", delivered["id"].as_str().unwrap());
    assert_eq!(
        dealer.get(&gone).await.problem(),
        "webhook_delivery_not_found"
    );
    assert_eq!(
        dealer.get(&path).await.problem(),
        "webhook_endpoint_not_found"
    );
}

#[actix_web::test]
async fn an_address_that_is_not_the_internets_is_refused_when_it_is_named() {
    // As it is out of the box: no plain HTTP, and no network but the internet.
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let made = endpoint(&dealer, "https://1.1.1.1/hook", &["*"]).await;
    let path = format!("/webhook-endpoints/{}", id_of(&made));

    for url in [
        "http://there.example/hook",
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://localhost/",
        "https://10.1.2.3/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[fd00::1]/",
        "https://user:password@there.example/",
        "https://there.example:22/",
        "ftp://there.example/",
        "javascript:alert(1)",
        "there.example",
    ] {
        let new = json!({"url": url, "event_types": ["*"]});
        let refused = dealer.post("/webhook-endpoints", new).await;
        let moved = dealer.patch(&path, 1, json!({"url": url})).await;

        for reply in [refused, moved] {
            assert_eq!(reply.problem(), "fields_invalid", "{url}: {}", reply.text());
            assert_eq!(reply.json["errors"][0]["pointer"], "/url", "{url}");
        }
    }
}

#[actix_web::test]
async fn who_wants_to_hear_of_what_does_not_happen_is_told_so() {
    let app = start().await;
    let dealer = app.dealer().await;

    for wanted in [
        json!([]),
        json!(["weather.changed"]),
        json!(["ite.*"]),
        json!(["*.*"]),
    ] {
        let new = json!({"url": "https://1.1.1.1/", "event_types": wanted});
        let refused = dealer.post("/webhook-endpoints", new).await;

        assert_eq!(refused.problem(), "fields_invalid", "{}", refused.text());
    }
}

#[actix_web::test]
async fn a_dealer_has_so_many_endpoints_and_no_more() {
    let keys = [KEYS.as_slice(), &[("TUBEX_WEBHOOKS__ENDPOINTS", "2")]].concat();
    let app = TestApp::start_with(&keys).await;
    let dealer = app.dealer().await;
    let new = json!({"url": "https://1.1.1.1/", "event_types": ["*"]});

    for _ in 0..2 {
        let made: Value = dealer
            .post("/webhook-endpoints", new.clone())
            .await
            .expect(201)
            .json;
        assert_eq!(made["endpoint"]["signing"], "v1");
    }
    let third = dealer.post("/webhook-endpoints", new).await;

    assert_eq!(
        (third.status.as_u16(), third.problem()),
        (409, "webhook_endpoints_too_many")
    );
}

#[actix_web::test]
async fn requests_of_one_moment_make_no_more_endpoints_than_a_dealer_may_have() {
    let keys = [KEYS.as_slice(), &[("TUBEX_WEBHOOKS__ENDPOINTS", "2")]].concat();
    let app = TestApp::start_with(&keys).await;
    let dealer = app.dealer().await;
    let new = json!({"url": "https://1.1.1.1/", "event_types": ["*"]});

    let asked = (0..4).map(|_| dealer.post("/webhook-endpoints", new.clone()));
    let replies = futures_util::future::join_all(asked).await;

    let made = replies.iter().filter(|it| it.status == 201).count();
    let list = dealer.get("/webhook-endpoints").await.expect(200).json;
    assert_eq!((made, list["data"].as_array().unwrap().len()), (2, 2));
}
