//! A dealer begins with an invitation to its owner, in the very transaction that makes it.

use serde_json::{Value, json};
use tests::{TestApp, eventually, tubex};

use super::{STRONG, me, refused, signed_in};

/// A server that operators may use, and an admin's way to it.
async fn operated(keys: &[(&str, &str)]) -> (TestApp, tests::Actor) {
    let scratch = tests::Scratch::with_dealers().await;
    let url = scratch.owner_url();
    let add = [
        "operator",
        "add",
        "admin@platform.example",
        "--name",
        "Ada",
        "--role",
        "admin",
    ];
    let password = ("TUBEX_OPERATOR_PASSWORD", STRONG);
    let added = tubex(&url, &add, &[password]);
    assert!(added.status.success(), "{added:?}");
    let keys = [&[("TUBEX_PLATFORM__DATABASE_URL", url.as_str())], keys].concat();
    let app = TestApp::start_on(scratch, &keys).await;
    let anybody = app.stranger("admin.localhost");
    let proof = json!({"email": "admin@platform.example", "password": STRONG});
    let reply = anybody.post("/platform/v1/auth/sign-in", proof).await;
    let admin = signed_in(&anybody, &reply.expect(200));
    (app, admin)
}

#[actix_web::test]
async fn an_owner_who_accepts_runs_the_dealer_that_operators_made() {
    let (app, admin) = operated(&[]).await;
    let tenant = json!({"slug": "fresh", "name": "Fresh Bricks",
        "owner": {"email": "Olga@Fresh.example", "name": "Olga"}});

    let made = admin.post("/platform/v1/tenants", tenant).await.expect(201);
    let letter = app.mail_to("olga@fresh.example", 1).await;
    let token = tests::token_in(&letter.text);
    let fresh = app.stranger("fresh.localhost");
    eventually("the dealer is known", async || {
        fresh.get("/me").await.status == 401
    })
    .await;
    let accepted = super::accept(&fresh, &token, STRONG).await.expect(200);
    let olga = signed_in(&fresh, &accepted);

    assert!(!made.text().contains(&token));
    assert!(
        letter
            .text
            .contains("http://fresh.localhost/account/accept-invitation#")
    );
    assert!(letter.text.contains("Fresh Bricks"), "{}", letter.text);
    assert_eq!(me(&olga).await["role"], "owner");
    super::invite(&olga, "otto@fresh.example", "sales")
        .await
        .expect(201);
}

#[actix_web::test]
async fn an_owner_is_invited_again_until_there_is_one() {
    let (app, admin) = operated(&[]).await;
    let tenant = json!({"slug": "fresh", "name": "Fresh Bricks",
        "owner": {"email": "olga@fresh.example"}});
    admin.post("/platform/v1/tenants", tenant).await.expect(201);
    let first = app.token_for("olga@fresh.example", 1).await;
    let fresh = app.stranger("fresh.localhost");
    let path = "/platform/v1/tenants/fresh/owner-invitation";
    let ask = json!({"email": "olga@fresh.example", "name": "Olga"});
    eventually("the dealer is known", async || {
        fresh.get("/me").await.status == 401
    })
    .await;

    let again = admin.post(path, ask.clone()).await.expect(201);
    let second = app.token_for("olga@fresh.example", 2).await;

    assert_eq!(again.json["token"], Value::Null);
    let old = super::accept(&fresh, &first, STRONG).await;
    refused(&old, 400, "link_invalid");
    super::accept(&fresh, &second, STRONG).await.expect(200);
    let late = admin.post(path, ask.clone()).await;
    refused(&late, 409, "owner_present");
    let nobody = "/platform/v1/tenants/nobody-is-called-that/owner-invitation";
    let nobody = admin.post(nobody, ask).await;
    refused(&nobody, 404, "tenant_not_found");
}

#[actix_web::test]
async fn where_no_messages_are_sent_the_operator_is_told_the_token_once() {
    let (app, admin) = operated(&[("TUBEX_MAIL__TRANSPORT", "none")]).await;
    let tenant = json!({"slug": "fresh", "name": "Fresh Bricks",
        "owner": {"email": "olga@fresh.example"}});

    let made = admin.post("/platform/v1/tenants", tenant).await.expect(201);

    let token = made.json["owner_invitation_token"].as_str().unwrap();
    let fresh = app.stranger("fresh.localhost");
    eventually("the owner accepts", async || {
        super::accept(&fresh, token, STRONG).await.status == 200
    })
    .await;
}
