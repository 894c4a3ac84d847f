//! What is sent, and to whom.

use serde_json::json;
use tests::eventually;

use super::{Reaction, Receiver, deliveries, endpoint, id_of, number, once_it_is, post, start};

#[actix_web::test]
async fn what_happened_is_sent_once_in_the_form_of_the_specification() {
    let app = start().await;
    let dealer = app.dealer().await;
    let receiver = Receiver::start().await;
    let made = endpoint(&dealer, &receiver.url("/hook"), &["item.created"]).await;

    let item = dealer.item("BRK-1", json!({})).await;

    let got = receiver.got_all("/hook", 1).await.remove(0);
    let message = got.json();
    assert_eq!(message["type"], "item.created");
    assert_eq!(message["data"]["id"], item["id"]);
    assert_eq!(message.as_object().unwrap().len(), 3, "{message}");
    let at = message["timestamp"].as_str().unwrap();
    assert!(at.ends_with('Z'), "{at}");
    assert!(got.id().starts_with("msg_"), "{}", got.id());
    assert_eq!(got.headers["content-type"], "application/json");
    let seconds: i64 = got.headers["webhook-timestamp"].parse().unwrap();
    assert!((seconds - time::OffsetDateTime::now_utc().unix_timestamp()).abs() < 60);
    let delivered = once_it_is(&dealer, id_of(&made), "delivered").await;
    assert_eq!(delivered["message_id"], got.id());
    assert_eq!(delivered["payload"], message);
    let attempts = delivered["attempts"].as_array().unwrap();
    assert_eq!(attempts.len(), 1);
    assert_eq!(attempts[0]["status"], 204);
    assert!(attempts[0]["error"].is_null());
}

#[actix_web::test]
async fn each_endpoint_hears_of_what_it_asked_for_and_of_its_own_dealer_only() {
    let app = start().await;
    let (acme, bolt) = (app.dealer().await, app.dealer().await);
    let receiver = Receiver::start().await;
    endpoint(&acme, &receiver.url("/all"), &["*"]).await;
    endpoint(&acme, &receiver.url("/items"), &["item.*"]).await;
    endpoint(&acme, &receiver.url("/new"), &["item.created"]).await;
    endpoint(&acme, &receiver.url("/other"), &["webhook_endpoint.*"]).await;
    let off = endpoint(&acme, &receiver.url("/off"), &["*"]).await;
    let path = format!("/webhook-endpoints/{}", id_of(&off));
    let disabled = acme.patch(&path, 1, json!({"is_enabled": false})).await;
    disabled.expect(200);

    let item = acme.item("BRK-1", json!({})).await;
    let path = format!("/items/{}", item["id"].as_str().unwrap());
    acme.patch(&path, 1, json!({"name": "Brick"}))
        .await
        .expect(200);
    bolt.item("BRK-2", json!({})).await;
    let refused = acme.post("/items", json!({"sku": "BRK-1"})).await;

    assert!(refused.status.is_client_error());
    receiver.got_all("/all", 2).await;
    receiver.got_all("/items", 2).await;
    receiver.got_all("/new", 1).await;
    let rows = "SELECT count(*) FROM {schema}.webhook_delivery";
    assert_eq!(number(&app, &acme, rows).await, 5);
    assert_eq!(number(&app, &bolt, rows).await, 0);
    assert!(receiver.got("/other").is_empty() && receiver.got("/off").is_empty());
}

#[actix_web::test]
async fn an_endpoint_is_tried_whatever_it_wants_to_hear_of_and_nobody_else_hears_of_it() {
    let app = start().await;
    let dealer = app.dealer().await;
    let receiver = Receiver::start().await;
    let tried = endpoint(&dealer, &receiver.url("/tried"), &["item.created"]).await;
    endpoint(&dealer, &receiver.url("/other"), &["*"]).await;

    let path = format!("/webhook-endpoints/{}/test", id_of(&tried));
    let told = post(&dealer, &path).await.expect(202).json;

    let got = receiver.got_all("/tried", 1).await.remove(0);
    assert_eq!(got.json()["type"], "webhook.test");
    assert_eq!(told["message_id"], got.id());
    once_it_is(&dealer, id_of(&tried), "delivered").await;
    assert!(receiver.got("/other").is_empty());
}

#[actix_web::test]
async fn a_receiver_that_hangs_keeps_the_dealers_others_from_nothing() {
    let app = start().await;
    let dealer = app.dealer().await;
    let receiver = Receiver::start().await;
    receiver.reacts("/hangs", Reaction::Hang);
    let hangs = endpoint(&dealer, &receiver.url("/hangs"), &["item.created"]).await;
    endpoint(&dealer, &receiver.url("/well"), &["item.created"]).await;

    for number in 0..20 {
        dealer.item(&format!("BRK-{number}"), json!({})).await;
    }

    receiver.got_all("/well", 20).await;
    let under_way = deliveries(&dealer, id_of(&hangs)).await;
    let delivered = under_way.iter().filter(|it| it["state"] == "delivered");
    assert_eq!((under_way.len(), delivered.count()), (20, 0));
    eventually("it is noted that it took too long", async || {
        let sql = "SELECT count(*) FROM {schema}.webhook_attempt WHERE error = 'too_slow'";
        number(&app, &dealer, sql).await > 0
    })
    .await;
}

#[actix_web::test]
async fn deliveries_are_found_by_endpoint_state_and_kind_page_by_page() {
    let app = start().await;
    let dealer = app.dealer().await;
    let receiver = Receiver::start().await;
    receiver.reacts("/gone", Reaction::Status(404));
    let well = endpoint(&dealer, &receiver.url("/well"), &["item.*"]).await;
    let fails = endpoint(&dealer, &receiver.url("/gone"), &["item.created"]).await;
    for number in 0..3 {
        dealer.item(&format!("BRK-{number}"), json!({})).await;
    }
    receiver.got_all("/well", 3).await;
    let count = async |question: String| {
        let list = dealer.get(&format!("/webhook-deliveries?{question}")).await;
        list.expect(200).json["data"].as_array().unwrap().len()
    };
    eventually("three are delivered", async || {
        count("state=delivered".to_owned()).await == 3
    })
    .await;

    let (well, fails) = (id_of(&well), id_of(&fails));
    assert_eq!(count(format!("endpoint_id={well}")).await, 3);
    assert_eq!(count(format!("endpoint_id={fails}&state=pending")).await, 3);
    assert_eq!(count("event_type=item.created".to_owned()).await, 6);
    assert_eq!(count("event_type=item.retired".to_owned()).await, 0);
    let first = dealer
        .get("/webhook-deliveries?limit=4")
        .await
        .expect(200)
        .json;
    let next = first["next"].as_str().unwrap();
    let second = dealer
        .get(&format!("/webhook-deliveries?limit=4&cursor={next}"))
        .await
        .expect(200)
        .json;
    assert_eq!(second["data"].as_array().unwrap().len(), 2);
    assert!(second["next"].is_null());
}

#[actix_web::test]
async fn of_a_long_answer_a_kilobyte_is_kept() {
    let app = start().await;
    let dealer = app.dealer().await;
    let receiver = Receiver::start().await;
    receiver.reacts("/long", Reaction::Long(5_000_000));
    let made = endpoint(&dealer, &receiver.url("/long"), &["item.created"]).await;

    dealer.item("BRK-1", json!({})).await;

    let delivered = once_it_is(&dealer, id_of(&made), "delivered").await;
    let answer = delivered["attempts"][0]["answer"].as_str().unwrap();
    assert_eq!(answer.chars().count(), 1024);
}
