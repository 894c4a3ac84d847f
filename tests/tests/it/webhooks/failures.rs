//! Receivers that fail, each in its way, and what becomes of what they should have had.

use serde_json::{Value, json};
use tests::{TestApp, eventually};
use time::format_description::well_known::Rfc2822;
use time::{Duration, OffsetDateTime};

use super::{
    KEYS, Reaction, Receiver, attempts_are, bring_forward, deliveries, endpoint, id_of, number,
    once_it_is, start,
};

/// Longer than a host is left alone at most.
const LATER: Duration = Duration::minutes(6);

#[actix_web::test]
async fn what_fails_all_the_time_is_sent_ten_times_in_four_days_under_one_id_and_then_no_more() {
    let app = start().await;
    let dealer = app.dealer().await;
    let receiver = Receiver::start().await;
    receiver.reacts("/broken", Reaction::Status(500));
    let made = endpoint(&dealer, &receiver.url("/broken"), &["item.created"]).await;
    dealer.item("BRK-1", json!({})).await;
    let mut waits = Vec::new();

    for attempt in 1..=10 {
        attempts_are(&app, &dealer, attempt).await;
        // From the attempt to the next one, milliseconds; 0 after the last.
        let wait = "SELECT coalesce(extract(epoch FROM d.next_attempt_at - a.at) * 1000, 0)::bigint
             FROM {schema}.webhook_delivery d JOIN {schema}.webhook_attempt a
                ON a.delivery_id = d.id ORDER BY a.id DESC LIMIT 1";
        waits.push(number(&app, &dealer, wait).await / 1000);
        app.advance(LATER);
    }

    let schedule = [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400, 0];
    for (wait, due) in waits.iter().zip(schedule) {
        assert!((due..=due + due / 10 + 2).contains(wait), "{waits:?}");
    }
    let dealer = app.enter(&dealer.slug).await;
    let failed = once_it_is(&dealer, id_of(&made), "failed").await;
    assert_eq!(failed["attempt_count"], 10);
    let attempts = failed["attempts"].as_array().unwrap();
    assert!(
        attempts
            .iter()
            .all(|it| it["status"] == 500 && it["error"] == "failed")
    );
    let ids = receiver.got_all("/broken", 10).await;
    assert!(ids.iter().all(|got| got.id() == failed["message_id"]));
    assert!(ids.iter().all(|got| got.body == ids[0].body));
    assert!(jobs(&app).await == 0, "nobody tries any more");
}

async fn jobs(app: &TestApp) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM jobs.job WHERE kind = 'webhook.deliver'")
        .fetch_one(&mut app.database.connect().await)
        .await
        .unwrap()
}

#[actix_web::test]
async fn a_receiver_that_is_gone_is_sent_nothing_more_and_others_hear_of_it() {
    let app = start().await;
    let dealer = app.dealer().await;
    let receiver = Receiver::start().await;
    receiver.reacts("/gone", Reaction::Status(410));
    let gone = endpoint(&dealer, &receiver.url("/gone"), &["item.created"]).await;
    endpoint(
        &dealer,
        &receiver.url("/ops"),
        &["webhook_endpoint.disabled"],
    )
    .await;

    dealer.item("BRK-1", json!({})).await;
    let told = receiver.got_all("/ops", 1).await.remove(0).json();
    dealer.item("BRK-2", json!({})).await;

    assert_eq!(told["data"]["id"], id_of(&gone));
    let path = format!("/webhook-endpoints/{}", id_of(&gone));
    let now = dealer.get(&path).await.expect(200).json;
    assert_eq!(now["is_enabled"], false);
    assert_eq!(now["disabled_because"], "gone");
    assert_eq!(receiver.got("/gone").len(), 1);
    let failed = once_it_is(&dealer, id_of(&gone), "failed").await;
    assert_eq!(failed["attempts"][0]["error"], "gone");
    let records = dealer.get("/audit-records?action=webhook_endpoint.disable");
    let records = records.await.expect(200).json;
    assert_eq!(records["data"][0]["actor"]["kind"], "system");
}

#[actix_web::test]
async fn a_receiver_that_is_too_busy_is_left_alone_for_as_long_as_it_says() {
    let app = start().await;
    let dealer = app.dealer().await;
    let receiver = Receiver::start().await;
    receiver.reacts("/busy", Reaction::Busy(429, "900".to_owned()));
    let made = endpoint(&dealer, &receiver.url("/busy"), &["item.created"]).await;

    dealer.item("BRK-1", json!({})).await;
    attempts_are(&app, &dealer, 1).await;
    receiver.reacts("/busy", Reaction::Status(204));
    // Neither the first nor another is sent, however often it is looked whether one is due.
    dealer.item("BRK-2", json!({})).await;
    let waiting = "SELECT count(*) FROM jobs.job WHERE state = 'scheduled' AND attempt = 0
         AND kind = 'webhook.deliver' AND run_at > clock_timestamp() + interval '10 minutes'";
    for _ in 0..3 {
        bring_forward(&app).await;
        eventually("both wait", async || {
            number(&app, &dealer, waiting).await == 2
        })
        .await;
    }

    assert_eq!(receiver.got("/busy").len(), 1);
    let all = deliveries(&dealer, id_of(&made)).await;
    assert!(all.iter().all(|it| it["state"] == "pending"), "{all:#?}");
    app.advance(Duration::seconds(901));
    attempts_are(&app, &dealer, 3).await;
    let delivered = "SELECT count(*) FROM {schema}.webhook_delivery WHERE state = 'delivered'";
    assert_eq!(number(&app, &dealer, delivered).await, 2);
}

#[actix_web::test]
async fn a_receiver_that_is_busy_may_name_a_time_instead() {
    let app = start().await;
    let dealer = app.dealer().await;
    let receiver = Receiver::start().await;
    let then = OffsetDateTime::now_utc() + Duration::seconds(900);
    let until = then.format(&Rfc2822).unwrap().replace("+0000", "GMT");
    receiver.reacts("/busy", Reaction::Busy(503, until));
    endpoint(&dealer, &receiver.url("/busy"), &["item.created"]).await;

    dealer.item("BRK-1", json!({})).await;
    attempts_are(&app, &dealer, 1).await;

    let wait = "SELECT extract(epoch FROM not_before - clock_timestamp())::bigint
         FROM {schema}.webhook_endpoint";
    let wait = number(&app, &dealer, wait).await;
    assert!((860..=901).contains(&wait), "{wait}");
}

#[actix_web::test]
async fn a_redirect_leads_nowhere() {
    let app = start().await;
    let dealer = app.dealer().await;
    let receiver = Receiver::start().await;
    let inside = format!("http://127.0.0.1:{}/inside", receiver.port);
    receiver.reacts("/moved", Reaction::Redirect(inside));
    endpoint(&dealer, &receiver.url("/moved"), &["item.created"]).await;

    dealer.item("BRK-1", json!({})).await;
    attempts_are(&app, &dealer, 2).await;

    assert!(receiver.got("/inside").is_empty());
    let words = "SELECT count(*) FROM {schema}.webhook_attempt
         WHERE status = 302 AND error = 'redirected'";
    assert_eq!(number(&app, &dealer, words).await, 2);
}

#[actix_web::test]
async fn who_fails_for_days_is_sent_nothing_until_somebody_enables_it() {
    let app = start().await;
    let dealer = app.dealer().await;
    let receiver = Receiver::start().await;
    receiver.reacts("/broken", Reaction::Status(500));
    let made = endpoint(&dealer, &receiver.url("/broken"), &["item.created"]).await;
    endpoint(&dealer, &receiver.url("/ops"), &["webhook_endpoint.*"]).await;

    dealer.item("BRK-1", json!({})).await;
    attempts_are(&app, &dealer, 1).await;
    app.advance(Duration::days(5));
    bring_forward(&app).await;
    let told = receiver.got_all("/ops", 1).await.remove(0).json();

    assert_eq!(told["type"], "webhook_endpoint.disabled");
    let dealer = app.enter(&dealer.slug).await;
    let path = format!("/webhook-endpoints/{}", id_of(&made));
    let off = dealer.get(&path).await.expect(200).json;
    assert_eq!(off["disabled_because"], "failing");
    let refused = super::post(&dealer, &format!("{path}/test")).await;
    assert_eq!(refused.problem(), "webhook_endpoint_disabled");
    dealer.item("BRK-2", json!({})).await;
    assert_eq!(deliveries(&dealer, id_of(&made)).await.len(), 1);

    receiver.reacts("/broken", Reaction::Status(200));
    let version = off["version"].as_i64().unwrap();
    let on = dealer
        .patch(&path, version, json!({"is_enabled": true}))
        .await;
    let on: Value = on.expect(200).json;
    dealer.item("BRK-3", json!({})).await;

    assert!(on["disabled_because"].is_null() && on["failing_since"].is_null());
    receiver.got_all("/broken", 3).await;
}

#[actix_web::test]
async fn nobody_at_home_is_a_failure_like_any_other_and_a_success_ends_it() {
    let keys = [
        KEYS.as_slice(),
        &[("TUBEX_WEBHOOKS__DISABLE_AFTER_DAYS", "1")],
    ]
    .concat();
    let app = TestApp::start_with(&keys).await;
    let dealer = app.dealer().await;
    let receiver = Receiver::start().await;
    // A port at which nobody listens, for as long as we hold it.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = nobody.local_addr().unwrap().port();
    drop(nobody);
    let url = format!("http://127.0.0.1:{port}/");
    let made = endpoint(&dealer, &url, &["item.created"]).await;
    let path = format!("/webhook-endpoints/{}", id_of(&made));

    dealer.item("BRK-1", json!({})).await;
    attempts_are(&app, &dealer, 1).await;
    let failing = dealer.get(&path).await.expect(200).json;
    let moved = json!({"url": receiver.url("/home")});
    dealer.patch(&path, 1, moved).await.expect(200);
    attempts_are(&app, &dealer, 2).await;

    assert!(failing["failing_since"].is_string(), "{failing}");
    let delivered = once_it_is(&dealer, id_of(&made), "delivered").await;
    assert_eq!(delivered["attempts"][0]["error"], "no_connection");
    let well = dealer.get(&path).await.expect(200).json;
    assert!(well["failing_since"].is_null(), "{well}");
}
