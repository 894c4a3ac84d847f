//! Signing keys: made by themselves, known before they sign, trusted until the last token is over.

use std::sync::Arc;

use ::time::Duration;
use serde_json::{Value, json};
use tests::{Actor, Scratch, TestApp, eventually, tubex};

use super::{jwks, part, published};

const OFTEN: (&str, &str) = ("TUBEX_AUTH__SIGNING_POLL_MS", "50");
const PASSWORD: &str = "a fine password for operators";

fn kid_of(who: &Actor) -> String {
    let token = who.token.as_ref().expect("they are signed in");
    part(token, 0)["kid"].as_str().unwrap().to_owned()
}

async fn signed_in_again(app: &TestApp, slug: &str) -> Actor {
    app.enter(slug).await.owner
}

#[actix_web::test]
async fn servers_that_start_at_once_make_one_key_and_trust_each_others_tokens() {
    let database = Arc::new(Scratch::with_dealers().await);
    let (one, other) = tokio::join!(
        TestApp::start_on(database.clone(), &[]),
        TestApp::start_on(database.clone(), &[])
    );

    let acme = one.dealer().await;
    let elsewhere = other
        .stranger(&acme.host)
        .with_token(acme.token.as_ref().unwrap());

    elsewhere.get("/me").await.expect(200);
    assert_eq!(published(&acme).await, [kid_of(&acme)]);
    assert_eq!(published(&elsewhere).await, published(&acme).await);
}

#[actix_web::test]
async fn the_key_set_is_public_at_every_host_that_is_somebodys_and_shows_no_secret() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;

    let reply = jwks(&acme.signed_out()).await.expect(200);
    let nobody = jwks(&app.stranger("nobody.localhost")).await;

    assert_eq!(reply.header("cache-control"), "public, max-age=300");
    assert_eq!(nobody.problem(), "tenant_unknown");
    let key = reply.json["keys"][0].as_object().unwrap().clone();
    let names: Vec<_> = key.keys().map(String::as_str).collect();
    let mut expected = ["alg", "crv", "kid", "kty", "use", "x"];
    expected.sort_unstable();
    assert_eq!(names, expected);
    assert_eq!(
        (&key["kty"], &key["crv"], &key["alg"]),
        (&json!("OKP"), &json!("Ed25519"), &json!("EdDSA"))
    );
    let kept = "SELECT sealed_private_key FROM platform.signing_key";
    let kept: Vec<u8> = sqlx::query_scalar(kept)
        .fetch_one(&mut app.database.connect().await)
        .await
        .unwrap();
    // PKCS #8 of an Ed25519 key begins so.
    assert!(
        !kept
            .windows(5)
            .any(|it| it == [0x06, 0x03, 0x2b, 0x65, 0x70])
    );
}

#[actix_web::test]
async fn a_key_is_followed_by_the_next_which_is_known_before_it_signs() {
    let app = TestApp::start_with(&[OFTEN]).await;
    let acme = app.dealer().await;
    let first = kid_of(&acme);

    app.advance(Duration::days(30) - Duration::minutes(9));
    eventually("the next key is known", async || {
        published(&acme).await.len() == 2
    })
    .await;
    let early = signed_in_again(&app, "acme").await;
    assert_eq!(kid_of(&early), first, "the next one doesn't sign yet");
    app.advance(Duration::minutes(11));
    let late = signed_in_again(&app, "acme").await;

    assert_ne!(kid_of(&late), first);
    early.get("/me").await.expect(200);
    late.get("/me").await.expect(200);
    app.advance(Duration::minutes(17));
    eventually("the first is given up", async || {
        published(&acme).await == [kid_of(&late)]
    })
    .await;
}

#[actix_web::test]
async fn a_key_that_was_put_into_the_table_by_somebody_else_is_not_trusted() {
    let app = TestApp::start_with(&[OFTEN]).await;
    let acme = app.dealer().await;
    let before = published(&acme).await;

    app.sql(
        "INSERT INTO platform.signing_key
         SELECT 'theirs', sha256('theirs'), sealed_private_key, created_at, now() + '1 s', NULL
         FROM platform.signing_key;
         UPDATE platform.signing_key SET public_key = sha256('x') WHERE kid = 'theirs'",
    )
    .await;
    app.state
        .keys
        .rotate(server::auth::Because::Wanted)
        .await
        .unwrap();

    let after = published(&acme).await;
    assert_eq!(after.len(), 2);
    assert!(after.contains(&before[0]) && !after.contains(&"theirs".to_owned()));
    acme.get("/me").await.expect(200);
}

/// A server with operators, one of them signed in with this role.
async fn app_and(role: &'static str) -> (TestApp, Actor) {
    let scratch = Scratch::with_dealers().await;
    let url = scratch.owner_url();
    let app = TestApp::start_on(scratch, &[("TUBEX_PLATFORM__DATABASE_URL", &url), OFTEN]).await;
    tokio::task::spawn_blocking(move || {
        let add = [
            "operator",
            "add",
            "a@platform.example",
            "--name",
            "A",
            "--role",
            role,
        ];
        tubex(&url, &add, &[("TUBEX_OPERATOR_PASSWORD", PASSWORD)])
    })
    .await
    .unwrap();
    let operator = operator(&app).await;
    (app, operator)
}

async fn operator(app: &TestApp) -> Actor {
    let admin = app.stranger("admin.localhost");
    let proof = json!({"email": "a@platform.example", "password": PASSWORD});
    let signed_in = admin
        .post("/platform/v1/auth/sign-in", proof)
        .await
        .expect(200);
    admin.with_token(signed_in.json["access_token"].as_str().unwrap())
}

async fn rotate(operator: &Actor, because: &str) -> Value {
    let body = json!({ "because": because });
    let reply = operator
        .post("/platform/v1/signing-keys/rotate", body)
        .await;
    reply.expect(200).json
}

#[actix_web::test]
async fn an_operator_replaces_keys_before_their_time_and_nobody_notices() {
    let (app, operator) = app_and("admin").await;
    let acme = app.dealer().await;

    let next = rotate(&operator, "wanted").await;

    assert!(
        published(&acme)
            .await
            .contains(&next["kid"].as_str().unwrap().to_owned())
    );
    acme.get("/me").await.expect(200);
    operator.get("/platform/v1/me").await.expect(200);
    app.advance(Duration::minutes(10));
    let later = signed_in_again(&app, "acme").await;
    assert_eq!(kid_of(&later), next["kid"].as_str().unwrap());
    acme.get("/me").await.expect(200);
}

#[actix_web::test]
async fn keys_that_somebody_else_may_have_are_trusted_no_more_on_any_server() {
    let (app, operator) = app_and("admin").await;
    let other = TestApp::start_on(app.database.clone(), &[OFTEN]).await;
    let acme = app.dealer().await;
    let tokens = acme
        .sign_in(&acme.email, &acme.password)
        .await
        .expect(200)
        .json;
    let elsewhere = other
        .stranger(&acme.host)
        .with_token(acme.token.as_ref().unwrap());
    elsewhere.get("/me").await.expect(200);

    rotate(&operator, "compromised").await;

    assert_eq!(acme.get("/me").await.status, 401);
    assert_eq!(operator.get("/platform/v1/me").await.status, 401);
    let body = json!({"refresh_token": tokens["refresh_token"]});
    let refreshed = acme
        .signed_out()
        .post("/auth/refresh", body)
        .await
        .expect(200);
    let token = refreshed.json["access_token"].as_str().unwrap();
    // A server that doesn't know the new key yet looks for it.
    elsewhere.with_token(token).get("/me").await.expect(200);
    eventually("the other server has given the old one up", async || {
        elsewhere.get("/me").await.status == 401
    })
    .await;
}

#[actix_web::test]
async fn only_an_admin_replaces_keys() {
    let (_app, operator) = app_and("support").await;

    let body = json!({ "because": "compromised" });
    let refused = operator
        .post("/platform/v1/signing-keys/rotate", body)
        .await;

    assert_eq!(
        (refused.status.as_u16(), refused.problem()),
        (403, "permission_denied")
    );
}
