//! A stream ends within two seconds after its follower lost the right to it, and says why.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tests::{Actor, Dealer, EventSocket, EventStream, TestApp};

use super::new_unit;

const SOON: Duration = Duration::from_secs(2);

/// Somebody who follows in both ways.
struct Following {
    stream: EventStream,
    socket: EventSocket,
}

impl Following {
    async fn of(who: &Actor, query: &str) -> Self {
        Self {
            stream: EventStream::open(who, &format!("/events{query}"), None).await,
            socket: EventSocket::open(who, &format!("/ws{query}")).await,
        }
    }

    async fn ends(mut self, since: Instant, reason: &str, code: u16) {
        assert_eq!(self.stream.end().await, reason);
        let end = self.socket.end().await;
        assert_eq!(end, Some((code, reason.to_owned())));
        assert!(since.elapsed() < SOON, "{reason}: {:?}", since.elapsed());
    }
}

async fn id_of(who: &Actor) -> String {
    let me = who.get("/me").await.expect(200).json;
    me["id"].as_str().unwrap().to_owned()
}

#[actix_web::test]
async fn whoever_signs_out_hears_no_more() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let viewer = app.member(&acme, "viewer").await;
    let following = Following::of(&viewer, "").await;

    let signed_out = viewer.post("/auth/sign-out", json!({})).await;
    let since = Instant::now();

    assert!(signed_out.status.is_success(), "{}", signed_out.text());
    following.ends(since, "access_revoked", 4401).await;
}

#[actix_web::test]
async fn whoever_is_deactivated_hears_no_more() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let viewer = app.member(&acme, "viewer").await;
    let following = Following::of(&viewer, "").await;
    let path = format!("/members/{}/deactivate", id_of(&viewer).await);

    let request = acme.request(reqwest::Method::POST, &path);
    acme.send(request.header("if-match", "*")).await.expect(200);

    following.ends(Instant::now(), "access_revoked", 4401).await;
}

#[actix_web::test]
async fn whoever_loses_a_role_hears_no_more_of_what_it_allowed() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let buyer = app.member(&acme, "buyer").await;
    let jobs = Following::of(&buyer, "?topics=items,jobs").await;
    let mut items = EventStream::open(&buyer, "/events?topics=items", None).await;
    let path = format!("/members/{}", id_of(&buyer).await);
    let version = acme.get(&path).await.expect(200).header("etag").to_owned();

    let request = acme.request(reqwest::Method::PATCH, &path);
    let request = request.header("if-match", version);
    let lesser = request.json(&json!({"role": "viewer"}));
    acme.send(lesser).await.expect(200);
    let since = Instant::now();

    jobs.ends(since, "permission_lost", 4403).await;
    new_unit(&acme, "still").await;
    assert_eq!(items.next().await.unwrap().event, "unit.created");
}

#[actix_web::test]
async fn a_revoked_key_opens_and_hears_nothing() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let key = json!({"name": "ERP", "permissions": ["event.read", "item.read"]});
    let made = acme.post("/api-keys", key).await.expect(201).json;
    let machine = acme.with_token(text(&made, "key"));
    let following = Following::of(&machine, "").await;
    let path = format!("/api-keys/{}", text(&made["api_key"], "id"));

    let revoked = acme.delete(&path).await;

    assert!(revoked.status.is_success(), "{}", revoked.text());
    following.ends(Instant::now(), "access_revoked", 4401).await;
    assert_eq!(machine.get("/events").await.status, 401);
}

#[actix_web::test]
async fn nobody_hears_of_a_suspended_dealer() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let following = Following::of(&acme, "").await;

    app.sql("UPDATE platform.tenant SET status = 'suspended' WHERE slug = 'acme'")
        .await;

    following
        .ends(Instant::now(), "dealer_unavailable", 4404)
        .await;
}

/// As a change made by hand would be, without a bell: the next look finds it.
#[actix_web::test]
async fn a_change_that_nobody_rang_for_is_found_as_soon() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let viewer = app.member(&acme, "viewer").await;
    let following = Following::of(&viewer, "").await;
    let schema = app.database.schema_of("acme").await;

    let away = format!("UPDATE {schema}.member SET status = 'disabled' WHERE role = 'viewer'");
    app.sql_on_access(&schema, &away).await;

    following.ends(Instant::now(), "access_revoked", 4401).await;
}

#[actix_web::test]
async fn a_stream_lives_no_longer_than_the_token_that_opened_it() {
    let app = TestApp::start_with(&[("TUBEX_AUTH__ACCESS_MINUTES", "1")]).await;
    let acme = app.dealer().await;
    app.advance(time::Duration::seconds(58));
    // The token is older than the dealer's hand-over, so it ends by then.
    let expired = Instant::now() + Duration::from_secs(2);

    let following = Following::of(&acme, "").await;

    following.ends(expired, "token_expired", 4401).await;
}

/// Nothing that came after is ever told to them, however soon it came.
#[actix_web::test]
async fn what_comes_after_a_revocation_is_never_told() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let schema = app.database.schema_of("acme").await;
    let viewers = followers(&app, &acme).await;

    app.sql(&format!(
        "BEGIN;
         UPDATE {schema}.session SET revoked_at = now();
         UPDATE {schema}.access_state SET epoch = epoch + 1;
         INSERT INTO {schema}.access_state (is_only, epoch) VALUES (true, 1) ON CONFLICT DO NOTHING;
         WITH head AS (
            UPDATE {schema}.event_head SET last_id = last_id + 1 RETURNING last_id)
         INSERT INTO {schema}.event (id, kind, topic, at, data)
         SELECT last_id, 'item.updated', 'items', now(), '{{\"id\": \"secret\"}}' FROM head;
         COMMIT"
    ))
    .await;

    for mut stream in viewers {
        let mut said = Vec::new();
        while let Some(heard) = stream.next().await {
            said.push(heard);
        }
        assert_eq!(said.len(), 1, "{said:?}");
        assert_eq!(said[0].data["reason"], "access_revoked");
    }
}

async fn followers(app: &TestApp, acme: &Dealer) -> Vec<EventStream> {
    new_unit(acme, "before").await;
    let viewer = app.member(acme, "viewer").await;
    let mut all = Vec::new();
    for _ in 0..10 {
        all.push(EventStream::open(&viewer, "/events", None).await);
    }
    all
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("{value}"))
}
