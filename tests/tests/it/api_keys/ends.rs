//! How keys end: revoked, expired, replaced, and with what their makers may do.

use std::time::Duration;

use serde_json::json;
use tests::{Actor, TestApp, eventually};
use tokio::time::Instant;

use super::{key, made, opens};
use crate::authorization::member_with;

async fn ends_within_a_second(machines: &[&Actor]) {
    let begun = Instant::now();
    eventually("it opens nothing anywhere", async || {
        let mut open = 0;
        for machine in machines {
            open += u32::from(opens(machine).await);
        }
        open == 0
    })
    .await;
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(1), "{took:?}");
}

#[actix_web::test]
async fn a_revoked_key_is_dead_on_every_server_within_a_second() {
    let app = TestApp::start().await;
    let other = TestApp::start_on(app.database.clone(), &[]).await;
    let dealer = app.dealer().await;
    let here = key(&dealer, json!({})).await;
    let there = other.stranger(&dealer.host).with_token(&here.text);
    assert!(opens(&here.machine).await && opens(&there).await);
    let path = format!("/api-keys/{}", here.id);

    dealer.delete(&path).await.expect(204);

    ends_within_a_second(&[&here.machine, &there]).await;
    let kept = dealer.get(&path).await.expect(200);
    assert!(kept.json["revoked_at"].is_string());
    dealer.delete(&path).await.expect(204);
    let rotated = dealer.post(&format!("{path}/rotate"), json!({})).await;
    assert_eq!(
        (rotated.status.as_u16(), rotated.problem()),
        (409, "api_key_ended")
    );
}

#[actix_web::test]
async fn a_key_that_has_expired_opens_nothing() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let soon = time::OffsetDateTime::now_utc() + time::Duration::minutes(5);
    let soon = soon
        .format(&time::format_description::well_known::Rfc3339)
        .unwrap();
    let made = key(&dealer, json!({ "expires_at": soon })).await;
    assert!(opens(&made.machine).await);

    app.advance(time::Duration::minutes(6));

    assert!(!opens(&made.machine).await);
}

#[actix_web::test]
async fn a_key_may_never_do_what_its_maker_no_longer_may() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let grants = json!([{"permission": "api_key.manage"}, {"permission": "item.read"}]);
    let (maker, _) = member_with(&app, &dealer, "maker", grants).await;
    let made = key(&maker, json!({})).await;
    assert!(opens(&made.machine).await);
    let roles = dealer.get("/roles").await.expect(200).json["data"].clone();
    let path = format!("/roles/{}", roles[0]["id"].as_str().unwrap());

    let less = json!({"grants": [{"permission": "api_key.manage"}]});
    dealer.patch(&path, 1, less).await.expect(200);

    let begun = Instant::now();
    eventually("the key lost it, too", async || {
        made.machine.get("/items").await.problem() == "permission_denied"
    })
    .await;
    assert!(
        begun.elapsed() < Duration::from_secs(1),
        "{:?}",
        begun.elapsed()
    );
}

#[actix_web::test]
async fn a_key_ends_with_its_makers_membership() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let grants = json!([{"permission": "api_key.manage"}, {"permission": "item.read"}]);
    let (maker, id) = member_with(&app, &dealer, "maker", grants).await;
    let made = key(&maker, json!({})).await;
    assert!(opens(&made.machine).await);
    let schema = app.database.schema_of(&dealer.slug).await;

    app.sql(&format!(
        "UPDATE {schema}.member SET status = 'disabled' WHERE id = '{id}';
         INSERT INTO {schema}.access_state AS state (is_only, epoch) VALUES (true, 1)
         ON CONFLICT (is_only) DO UPDATE SET epoch = state.epoch + 1"
    ))
    .await;

    ends_within_a_second(&[&made.machine]).await;
}

#[actix_web::test]
async fn a_key_and_its_successor_are_both_good_for_a_while() {
    let app = TestApp::start_with(&[("TUBEX_AUTH__ACCESS_MINUTES", "1440")]).await;
    let dealer = app.dealer().await;
    let old = key(&dealer, json!({"name": "Shop", "per_minute": 500})).await;
    let rotate = format!("/api-keys/{}/rotate", old.id);

    let reply = dealer
        .post(&rotate, json!({"overlap_hours": 2}))
        .await
        .expect(201);
    let new = made(&dealer, &reply);

    let told = &reply.json["api_key"];
    assert_eq!(told["replaces"], old.id);
    assert_eq!(
        (&told["name"], &told["per_minute"]),
        (&json!("Shop"), &json!(500))
    );
    assert_eq!(told["permissions"], json!(["item.read"]));
    assert!(opens(&old.machine).await && opens(&new.machine).await);
    app.advance(time::Duration::minutes(121));
    assert!(opens(&new.machine).await);
    ends_within_a_second(&[&old.machine]).await;
}

#[actix_web::test]
async fn without_overlap_the_old_key_ends_at_once() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let old = key(&dealer, json!({})).await;
    assert!(opens(&old.machine).await);
    let rotate = format!("/api-keys/{}/rotate", old.id);

    let reply = dealer
        .post(&rotate, json!({"overlap_hours": 0}))
        .await
        .expect(201);

    ends_within_a_second(&[&old.machine]).await;
    assert!(opens(&made(&dealer, &reply).machine).await);
}

#[actix_web::test]
async fn what_its_maker_is_given_later_a_key_is_not() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let held = json!([{"permission": "api_key.manage"}, {"permission": "item.read"}]);
    let (maker, _) = member_with(&app, &dealer, "maker", held).await;
    let made = key(&maker, json!({})).await;
    let roles = dealer.get("/roles").await.expect(200).json["data"].clone();
    let path = format!("/roles/{}", roles[0]["id"].as_str().unwrap());
    let more = json!({"grants": [{"permission": "item.read"}, {"permission": "item.write"}]});
    dealer.patch(&path, 1, more).await.expect(200);

    let unit = |code: &str| json!({"code": code, "name": "n", "symbol": "s", "decimals": 0});
    eventually("its maker may more", async || {
        maker.post("/units", unit("theirs")).await.status == 201
    })
    .await;
    let refused = made.machine.post("/units", unit("its")).await;

    assert_eq!(refused.problem(), "permission_denied");
}
