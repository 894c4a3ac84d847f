//! Passwords: strong ones are taken, and hashes keep up with what they should cost.

use serde_json::json;
use tests::{Scratch, TestApp, eventually};

use super::{STRONG, STRONGER, invite, refused, text_of};

#[actix_web::test]
async fn a_password_that_is_easily_guessed_is_refused_with_advice() {
    let app = TestApp::start().await;
    let dealer = app.new_dealer().await;
    invite(&dealer, "brandt.olga@team.example", "sales")
        .await
        .expect(201);
    let token = app.token_for("brandt.olga@team.example", 1).await;
    let accept = |password: &str| {
        let body = json!({"token": token, "name": "Olga Brandt", "password": password});
        let anybody = dealer.signed_out();
        async move { anybody.post("/auth/accept-invitation", body).await }
    };

    for weak in [
        "password123",
        "OlgaBrandt2026",
        "brandt.olga@team.example",
        "NewDealer1!",
        "aaaaaaaaaaaaaaa",
    ] {
        let reply = accept(weak).await;

        refused(&reply, 422, "fields_invalid");
        let error = &reply.json["errors"][0];
        assert_eq!(
            (&error["pointer"], &error["code"]),
            (&"/password".into(), &"weak".into())
        );
        assert!(error["message"].as_str().unwrap().len() > 30, "{error}");
        assert!(!reply.text().contains(weak));
    }
    let short = accept("a1!Zk9#").await;
    assert_eq!(short.json["errors"][0]["code"], "length");
    let long = accept(&"wicker oboe ".repeat(11)).await;
    assert_eq!(long.json["errors"][0]["code"], "length");
    accept(STRONG).await.expect(200);
}

#[actix_web::test]
async fn a_hash_that_was_made_at_another_cost_is_renewed_at_the_next_sign_in() {
    let cheap = [
        ("TUBEX_AUTH__PASSWORD_MEMORY_KIB", "4096"),
        ("TUBEX_AUTH__PASSWORD_PASSES", "1"),
    ];
    let dear = [
        ("TUBEX_AUTH__PASSWORD_MEMORY_KIB", "8192"),
        ("TUBEX_AUTH__PASSWORD_PASSES", "3"),
    ];
    let database = std::sync::Arc::new(Scratch::with_dealers().await);
    let before = TestApp::start_on(database.clone(), &cheap).await;
    let dealer = before.new_dealer().await;
    let change = json!({"current": dealer.password, "new": STRONG});
    dealer.post("/me/password", change).await.expect(204);
    let hash = "SELECT password_hash FROM {schema}.member WHERE role = 'owner'";
    let kept = text_of(&before, &dealer, hash).await;
    assert!(kept.starts_with("$argon2id$v=19$m=4096,t=1,p=1$"), "{kept}");

    let after = TestApp::start_on(database, &dear).await;
    let anybody = after.stranger(&dealer.host);
    eventually("the other server knows the dealer", async || {
        anybody.get("/me").await.status == 401
    })
    .await;
    anybody.sign_in(&dealer.email, STRONGER).await.expect(401);
    assert_eq!(
        text_of(&after, &dealer, hash).await,
        kept,
        "it was not theirs"
    );
    anybody.sign_in(&dealer.email, STRONG).await.expect(200);

    eventually("the hash is renewed", async || {
        let renewed = text_of(&after, &dealer, hash).await;
        renewed.starts_with("$argon2id$v=19$m=8192,t=3,p=1$")
    })
    .await;
    anybody.sign_in(&dealer.email, STRONG).await.expect(200);
}
