//! Keys that change, and providers that are not there.

use std::time::{Duration as StdDuration, Instant};

use serde_json::json;
use tests::{OldKeys, SignedBy, TestApp};
use time::Duration;
use tokio::net::TcpListener;

use super::{ADA, World, assert_problem, browser};

#[actix_web::test]
async fn a_provider_is_asked_once_for_what_it_says_of_itself() {
    let world = World::start().await;

    for _ in 0..3 {
        world.sign_in(ADA).await.expect(200);
    }

    let discovery = "/.well-known/openid-configuration";
    assert_eq!(world.provider.asked(discovery).await, 1);
    assert_eq!(world.provider.asked("/jwks").await, 1);
    assert_eq!(world.provider.asked("/token").await, 3);
}

#[actix_web::test]
async fn new_keys_are_fetched_and_old_ones_are_good_no_more() {
    let world = World::start().await;
    world.sign_in(ADA).await.expect(200);
    let late = world.leave().await;
    let late_back = world.at_provider(&late, ADA).await;

    world.provider.rotate_keys(OldKeys::Gone).await;
    world.app.advance(Duration::seconds(11));
    let after = world.sign_in(ADA).await;
    let signed_anew = world.back(&late_back, &late.cookie).await;

    after.expect(200);
    // A code from before the change is worth a token that is signed with the new key.
    signed_anew.expect(200);
    assert_eq!(world.provider.asked("/jwks").await, 2);
}

#[actix_web::test]
async fn an_unknown_key_does_not_make_us_ask_all_the_time() {
    let world = World::start().await;
    world.sign_in(ADA).await.expect(200);
    world.provider.rotate_keys(OldKeys::Gone).await;

    for _ in 0..3 {
        assert_problem(&world.sign_in(ADA).await, 401, "sso_refused");
    }
    assert_eq!(world.provider.asked("/jwks").await, 1);
    world.app.advance(Duration::seconds(11));
    world.sign_in(ADA).await.expect(200);

    assert_eq!(world.provider.asked("/jwks").await, 2);
}

#[actix_web::test]
async fn a_strangers_key_under_a_known_name_is_refused_without_asking() {
    let world = World::start().await;
    world.sign_in(ADA).await.expect(200);
    world.app.advance(Duration::seconds(11));

    world.provider.lie(json!({}), SignedBy::Stranger).await;
    let refused = world.sign_in(ADA).await;

    assert_problem(&refused, 401, "sso_refused");
    assert_eq!(world.provider.asked("/jwks").await, 1);
}

#[actix_web::test]
async fn a_provider_that_is_gone_is_told_and_nothing_hangs() {
    let world = World::start_with(&[("TUBEX_SSO__TIMEOUT_MS", "300")], json!({})).await;
    let journey = world.leave().await;
    let back = world.at_provider(&journey, ADA).await;
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nowhere = format!("http://{}", silent.local_addr().unwrap());

    // It takes connections, and says nothing.
    world.change(json!({ "issuer": nowhere })).await.expect(200);
    let began = Instant::now();
    let start = format!("/auth/sso/{}/start", world.connection);
    let unheard = world.browser.get(&start).await;
    let halfway = world.back(&back, &journey.cookie).await;
    let took = began.elapsed();
    drop(silent);
    let refused = world.browser.get(&start).await;

    for reply in [unheard, halfway, refused] {
        assert_problem(&reply, 503, "identity_provider_unavailable");
        assert!(!reply.text().contains("127.0.0.1"), "{}", reply.text());
        assert!(!reply.header("retry-after").is_empty());
    }
    assert!(took < StdDuration::from_secs(10), "{took:?}");
    // Everything else goes on.
    world.acme.get("/items").await.expect(200);
}

#[actix_web::test]
async fn no_address_of_ours_is_asked_on_an_admins_word() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let connect = async |issuer: &str| {
        let body = json!({
            "name": issuer, "issuer": issuer, "client_id": "tubex",
            "client_secret": "a secret", "default_role": "viewer",
        });
        acme.post("/sso-connections", body).await
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();

    let plain = connect(&format!("http://127.0.0.1:{port}")).await;
    assert_problem(&plain, 422, "fields_invalid");
    for odd in [
        "https://a.example?x=1",
        "https://u:p@a.example",
        "ftp://a.example",
        "a.example",
    ] {
        assert_problem(&connect(odd).await, 422, "fields_invalid");
    }
    for host in [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "2130706433",
    ] {
        let made = connect(&format!("https://{host}:{port}")).await.expect(201);
        let start = format!("/auth/sso/{}/start", made.json["id"].as_str().unwrap());
        let reply = browser(&app, &acme.host).get(&start).await;
        assert_problem(&reply, 503, "identity_provider_unavailable");
    }
    let knocked = tokio::time::timeout(StdDuration::from_millis(50), listener.accept()).await;
    assert!(knocked.is_err(), "somebody was asked");
}
