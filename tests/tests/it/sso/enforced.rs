//! Enforced single sign-on, and the glass that owners may break.

use serde_json::json;
use tests::Reply;

use super::{ADA, World, assert_problem};
use crate::second_factor::{Phone, answer};

/// Enforces it; the owner has a second factor.
async fn enforced() -> (World, Phone) {
    let world = World::start().await;
    let phone = Phone::of(&world.app, &world.acme).await;
    world
        .change(json!({ "is_enforced": true }))
        .await
        .expect(200);
    (world, phone)
}

fn without_id(reply: &Reply) -> serde_json::Value {
    let mut body = reply.json.clone();
    body.as_object_mut().unwrap().remove("request_id");
    body
}

#[actix_web::test]
async fn passwords_are_refused_for_the_domain_whoever_it_is() {
    let world = World::start().await;
    let acme = &world.acme;
    world.app.member(acme, "sales").await;
    Phone::of(&world.app, acme).await;
    world
        .change(json!({ "is_enforced": true }))
        .await
        .expect(200);
    let anybody = acme.signed_out();

    let right = anybody.sign_in("sales@acme.example", &acme.password).await;
    let wrong = anybody
        .sign_in("sales@acme.example", "not the password")
        .await;
    let nobody = anybody
        .sign_in("nobody@acme.example", "not the password")
        .await;
    let owners_wrong = anybody.sign_in(&acme.email, "not the password").await;
    let elsewhere = anybody
        .sign_in("ada@elsewhere.example", "not the password")
        .await;

    for reply in [&right, &wrong, &nobody, &owners_wrong] {
        assert_problem(reply, 403, "sso_required");
        assert_eq!(without_id(reply), without_id(&right));
    }
    assert_problem(&elsewhere, 401, "credentials_wrong");
    world.sign_in(ADA).await.expect(200);
    let body = json!({ "email": "sales@acme.example" });
    let told = anybody.post("/auth/sso/discover", body).await.expect(200);
    assert_eq!(told.json["is_required"], true);
}

#[actix_web::test]
async fn an_owner_with_a_second_factor_breaks_the_glass_on_record() {
    let (world, phone) = enforced().await;
    let acme = &world.acme;

    let challenge = crate::second_factor::challenge(acme, &acme.email).await;
    world.app.recorded("break_glass_sign_in", acme, 0).await;
    let code = json!({ "code": phone.next_code(&world.app) });
    answer(acme, &challenge, code).await.expect(200);

    world.app.recorded("break_glass_sign_in", acme, 1).await;
}

#[actix_web::test]
async fn an_owner_without_a_second_factor_does_not() {
    let (world, _phone) = enforced().await;
    let schema = world.app.database.schema_of("acme").await;
    world
        .app
        .sql(&format!("DELETE FROM {schema}.totp_credential"))
        .await;

    let refused = world
        .acme
        .sign_in(&world.acme.email, &world.acme.password)
        .await;

    assert_problem(&refused, 403, "sso_required");
}

#[actix_web::test]
async fn it_is_not_enforced_while_it_could_lock_everybody_out() {
    let world = World::start().await;
    let enforce = json!({ "is_enforced": true });

    let nobody_breaks_the_glass = world.change(enforce.clone()).await;
    Phone::of(&world.app, &world.acme).await;
    let domain = format!("/sso-connections/{}/domains/acme.example", world.connection);
    world.acme.delete(&domain).await.expect(204);
    let no_domain = world.change(enforce.clone()).await;
    world.prove(&world.connection, "acme.example").await;
    let enforced = world.change(enforce).await;

    assert_problem(&nobody_breaks_the_glass, 409, "sso_not_enforceable");
    assert_problem(&no_domain, 409, "sso_not_enforceable");
    assert_eq!(enforced.expect(200).json["is_enforced"], true);
}

#[actix_web::test]
async fn a_connection_that_is_not_in_use_enforces_nothing() {
    let (world, _phone) = enforced().await;
    world
        .change(json!({ "is_enabled": false }))
        .await
        .expect(200);

    let anybody = world.acme.signed_out();
    let reply = anybody
        .sign_in("nobody@acme.example", "not the password")
        .await;

    assert_problem(&reply, 401, "credentials_wrong");
}
