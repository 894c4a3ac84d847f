//! Sending anew, and secrets that take another's place.

use serde_json::json;
use tests::eventually;
use time::Duration;

use super::{
    Reaction, Receiver, attempts_are, deliveries, endpoint, id_of, number, once_it_is, post, start,
};

/// What is still to be sent.
const LEFT: &str = "SELECT count(*) FROM jobs.job WHERE kind = 'webhook.deliver'";

#[actix_web::test]
async fn what_was_delivered_is_sent_anew_under_the_same_id() {
    let app = start().await;
    let dealer = app.dealer().await;
    let receiver = Receiver::start().await;
    let made = endpoint(&dealer, &receiver.url("/hook"), &["item.created"]).await;
    dealer.item("BRK-1", json!({})).await;
    let delivered = once_it_is(&dealer, id_of(&made), "delivered").await;

    let path = format!("/webhook-deliveries/{}", delivered["id"].as_str().unwrap());
    let again = post(&dealer, &format!("{path}/replay"))
        .await
        .expect(202)
        .json;

    assert_eq!(again["state"], "pending");
    let got = receiver.got_all("/hook", 2).await;
    assert_eq!(got[0].id(), got[1].id());
    assert_eq!(got[0].body, got[1].body);
    let twice = once_it_is(&dealer, id_of(&made), "delivered").await;
    let rounds: Vec<_> = twice["attempts"].as_array().unwrap().iter().collect();
    assert_eq!((rounds.len(), &rounds[1]["round"]), (2, &json!(2)));
    assert_eq!(rounds[1]["number"], 1);
}

#[actix_web::test]
async fn what_waits_is_sent_at_once_when_somebody_says_so_and_not_twice() {
    let app = start().await;
    let dealer = app.dealer().await;
    let receiver = Receiver::start().await;
    receiver.reacts("/hook", Reaction::Status(400));
    let made = endpoint(&dealer, &receiver.url("/hook"), &["item.created"]).await;
    dealer.item("BRK-1", json!({})).await;
    attempts_are(&app, &dealer, 2).await;
    receiver.reacts("/hook", Reaction::Status(200));
    let id = deliveries(&dealer, id_of(&made)).await[0]["id"].clone();

    let path = format!("/webhook-deliveries/{}/replay", id.as_str().unwrap());
    post(&dealer, &path).await.expect(202);
    once_it_is(&dealer, id_of(&made), "delivered").await;
    // What waited before finds nothing to do.
    super::bring_forward(&app).await;
    eventually("no job is left", async || {
        number(&app, &dealer, LEFT).await == 0
    })
    .await;

    assert_eq!(receiver.got("/hook").len(), 3);
}

#[actix_web::test]
async fn all_that_failed_since_a_time_is_sent_anew() {
    let app = start().await;
    let dealer = app.dealer().await;
    let receiver = Receiver::start().await;
    let made = endpoint(&dealer, &receiver.url("/hook"), &["item.created"]).await;
    for number in 0..3 {
        dealer.item(&format!("BRK-{number}"), json!({})).await;
    }
    receiver.got_all("/hook", 3).await;
    eventually("all are delivered", async || {
        let all = deliveries(&dealer, id_of(&made)).await;
        all.iter().all(|it| it["state"] == "delivered")
    })
    .await;
    let schema = app.database.schema_of(&dealer.slug).await;
    // One failed long ago, one just now, one not at all.
    app.sql(&format!(
        "UPDATE {schema}.webhook_delivery SET state = 'failed', created_at = now() - '9 days'::interval
         WHERE id = (SELECT min(id::text)::uuid FROM {schema}.webhook_delivery);
         UPDATE {schema}.webhook_delivery SET state = 'failed'
         WHERE id = (SELECT max(id::text)::uuid FROM {schema}.webhook_delivery)"
    ))
    .await;

    let path = format!("/webhook-endpoints/{}/replay", id_of(&made));
    let replay = async |days| {
        let since = time::OffsetDateTime::now_utc() - Duration::days(days);
        let format = &time::format_description::well_known::Rfc3339;
        let body = json!({"since": since.format(format).unwrap()});
        dealer.post(&path, body).await.expect(202).json["deliveries"].clone()
    };

    assert_eq!(replay(1).await, 1);
    receiver.got_all("/hook", 4).await;
    assert_eq!(replay(10).await, 1);
    let got = receiver.got_all("/hook", 5).await;
    let ids: std::collections::BTreeSet<_> = got.iter().map(|it| it.id()).collect();
    assert_eq!(ids.len(), 3);
}

#[actix_web::test]
async fn while_a_secret_takes_anothers_place_both_sign_and_then_the_new_one_alone() {
    let app = start().await;
    let dealer = app.dealer().await;
    let receiver = Receiver::start().await;
    let old = endpoint(&dealer, &receiver.url("/hook"), &["item.created"]).await;
    let path = format!("/webhook-endpoints/{}/rotate-secret", id_of(&old));

    let new = dealer.post(&path, json!({})).await.expect(200).json;
    dealer.item("BRK-1", json!({})).await;
    let both = receiver.got_all("/hook", 1).await.remove(0);
    app.advance(Duration::hours(25));
    let dealer = app.enter(&dealer.slug).await;
    dealer.item("BRK-2", json!({})).await;
    let alone = receiver.got_all("/hook", 2).await.remove(1);

    assert_ne!(old["secret"], new["secret"]);
    assert_ne!(old["endpoint"]["public_key"], new["endpoint"]["public_key"]);
    let schemes = |got: &super::Got| {
        let signed = got.headers["webhook-signature"].split(' ');
        let mut schemes: Vec<_> = signed
            .map(|it| it.split(',').next().unwrap().to_owned())
            .collect();
        schemes.sort();
        schemes
    };
    assert_eq!(schemes(&both), ["v1", "v1", "v1a", "v1a"]);
    assert_eq!(schemes(&alone), ["v1", "v1a"]);
    // Whoever has either secret finds its signature among them, and afterwards the new one only.
    let accepts = |secret: &serde_json::Value, got: &super::Got| {
        let library = standardwebhooks::Webhook::new(secret.as_str().unwrap()).unwrap();
        let at = got.headers["webhook-timestamp"].parse().unwrap();
        let signature = library.sign(got.id(), at, got.body.as_bytes()).unwrap();
        got.headers["webhook-signature"]
            .split(' ')
            .any(|it| it == signature)
    };
    assert!(accepts(&old["secret"], &both) && accepts(&new["secret"], &both));
    assert!(!accepts(&old["secret"], &alone) && accepts(&new["secret"], &alone));
}

#[actix_web::test]
async fn a_secret_that_leaked_ends_at_once_and_the_way_of_signing_may_change_with_it() {
    let app = start().await;
    let dealer = app.dealer().await;
    let receiver = Receiver::start().await;
    let old = endpoint(&dealer, &receiver.url("/hook"), &["item.created"]).await;
    let path = format!("/webhook-endpoints/{}/rotate-secret", id_of(&old));

    let body = json!({"overlap_hours": 0, "signing": "v1a"});
    let new = dealer.post(&path, body).await.expect(200).json;
    dealer.item("BRK-1", json!({})).await;

    assert!(new["secret"].is_null());
    assert_eq!(new["endpoint"]["signing"], "v1a");
    let got = receiver.got_all("/hook", 1).await.remove(0);
    let signed = &got.headers["webhook-signature"];
    assert!(
        signed.starts_with("v1a,") && !signed.contains(' '),
        "{signed}"
    );
}
