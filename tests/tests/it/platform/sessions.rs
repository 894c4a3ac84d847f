//! Operators' sessions: begun, carried on, and everything that ends them.

use serde_json::json;
use tests::{Reply, TestApp, eventually};

use super::{
    HOST, PASSWORD, Tokens, add_operator, address, app, app_with, command, operator, recorded,
    refresh, sign_in,
};

#[track_caller]
fn assert_refused(reply: &Reply, code: &str) {
    let seen = (reply.status.as_u16(), reply.problem());
    assert_eq!(seen, (401, code), "{}", reply.text());
}

async fn me(app: &TestApp, token: &str) -> Reply {
    app.stranger(HOST)
        .with_token(token)
        .get("/platform/v1/me")
        .await
}

#[actix_web::test]
async fn an_operator_signs_in_and_is_told_who_they_are() {
    let app = app().await;
    let added = add_operator(&app, "support").await;

    let tokens = Tokens::of(&sign_in(&app, " Support@Platform.Example ", PASSWORD).await);
    let me = me(&app, &tokens.access).await.expect(200);

    assert_eq!(me.json["id"], added["id"]);
    assert_eq!(me.json["email"], address("support"));
    assert_eq!(me.json["role"], "support");
    let permissions = me.json["permissions"].as_array().unwrap();
    assert!(permissions.contains(&json!("tenant.suspend")));
    assert!(!permissions.contains(&json!("tenant.change")));
    assert_eq!(me.header("cache-control"), "no-store");
    recorded(&app, "operator_signed_in", 1).await;
}

#[actix_web::test]
async fn an_unknown_address_is_not_told_from_a_wrong_password_or_a_disabled_operator() {
    let app = app().await;
    add_operator(&app, "admin").await;
    add_operator(&app, "viewer").await;
    let (code, _) = command(&app, &["operator", "set", &address("viewer"), "--disable"]).await;
    assert_eq!(code, Some(0));

    let wrong = sign_in(&app, &address("admin"), "not this password").await;
    let unknown = sign_in(&app, "nobody@platform.example", PASSWORD).await;
    let disabled = sign_in(&app, &address("viewer"), PASSWORD).await;

    let without_id = |reply: &Reply| {
        let mut body = reply.json.clone();
        body.as_object_mut().unwrap().remove("request_id");
        body
    };
    for reply in [&wrong, &unknown, &disabled] {
        assert_refused(reply, "credentials_wrong");
        assert_eq!(without_id(reply), without_id(&wrong));
    }
    recorded(&app, "operator_sign_in_failed", 3).await;
}

#[actix_web::test]
async fn after_too_many_attempts_an_address_must_wait() {
    let app = app_with(&[("TUBEX_AUTH__SIGN_IN_ATTEMPTS", "3")]).await;
    let email = format!("{}@platform.example", uuid::Uuid::now_v7().simple());

    for _ in 0..3 {
        assert_refused(
            &sign_in(&app, &email, "not this one").await,
            "credentials_wrong",
        );
    }
    let blocked = sign_in(&app, &email, "not this one").await;

    assert_eq!(
        (blocked.status.as_u16(), blocked.problem()),
        (429, "too_many_attempts")
    );
    assert!(blocked.header("retry-after").parse::<u64>().unwrap() > 0);
    recorded(&app, "operator_sign_in_blocked", 1).await;
}

#[actix_web::test]
async fn a_dealers_token_opens_nothing_here_and_ours_opens_no_dealer() {
    let app = app().await;
    let dealer = app.dealer().await;
    let admin = operator(&app, "admin").await;

    let dealers = dealer.token.clone().unwrap();
    assert_refused(&me(&app, &dealers).await, "unauthenticated");
    let with_ours = dealer.with_token(admin.token.as_deref().unwrap());
    assert_refused(&with_ours.get("/me").await, "unauthenticated");
    assert_refused(&with_ours.get("/items").await, "unauthenticated");
    let at_admins = dealer.at(HOST);
    assert_refused(
        &at_admins.get("/platform/v1/tenants").await,
        "unauthenticated",
    );
}

#[actix_web::test]
async fn a_dealers_refresh_token_is_unknown_here_and_ours_there() {
    let app = app().await;
    let dealer = app.dealer().await;
    add_operator(&app, "admin").await;
    let ours = Tokens::of(&sign_in(&app, &address("admin"), PASSWORD).await);
    let dealers = Tokens::of(&dealer.sign_in(&dealer.email, &dealer.password).await);

    assert_refused(
        &refresh(&app, &dealers.refresh).await,
        "refresh_token_invalid",
    );
    let body = json!({ "refresh_token": ours.refresh });
    let there = dealer.signed_out().post("/auth/refresh", body).await;
    assert_refused(&there, "refresh_token_invalid");
    refresh(&app, &ours.refresh).await.expect(200);
}

#[actix_web::test]
async fn a_refresh_token_works_once_and_its_reuse_ends_the_session() {
    let app = app().await;
    add_operator(&app, "admin").await;
    let first = Tokens::of(&sign_in(&app, &address("admin"), PASSWORD).await);
    let second = Tokens::of(&refresh(&app, &first.refresh).await);
    me(&app, &second.access).await.expect(200);

    assert_refused(
        &refresh(&app, &first.refresh).await,
        "refresh_token_invalid",
    );

    assert_refused(&me(&app, &second.access).await, "unauthenticated");
    assert_refused(
        &refresh(&app, &second.refresh).await,
        "refresh_token_invalid",
    );
    recorded(&app, "operator_refresh_token_reused", 1).await;
}

#[actix_web::test]
async fn whoever_signs_out_is_out_with_all_their_tokens() {
    let app = app().await;
    add_operator(&app, "viewer").await;
    let tokens = Tokens::of(&sign_in(&app, &address("viewer"), PASSWORD).await);
    let who = app.stranger(HOST).with_token(&tokens.access);

    who.post("/platform/v1/auth/sign-out", json!({}))
        .await
        .expect(204);

    assert_refused(&me(&app, &tokens.access).await, "unauthenticated");
    assert_refused(
        &refresh(&app, &tokens.refresh).await,
        "refresh_token_invalid",
    );
}

#[actix_web::test]
async fn a_disabled_operator_and_one_with_a_new_password_are_out_within_seconds() {
    let app = app_with(&[]).await;
    add_operator(&app, "admin").await;
    let changes: [&[&str]; 3] = [&["--disable"], &["--new-password"], &["--role", "viewer"]];

    for (number, change) in changes.into_iter().enumerate() {
        let email = format!("support{number}@platform.example");
        let arguments = [
            "operator", "add", &email, "--name", "S", "--role", "support",
        ];
        command(&app, &arguments).await;
        let tokens = Tokens::of(&sign_in(&app, &email, PASSWORD).await);
        me(&app, &tokens.access).await.expect(200);

        let (code, _) = command(
            &app,
            &[&["operator", "set", email.as_str()], change].concat(),
        )
        .await;
        assert_eq!(code, Some(0));

        eventually("they are out", async || {
            me(&app, &tokens.access).await.status == 401
        })
        .await;
        assert_refused(
            &refresh(&app, &tokens.refresh).await,
            "refresh_token_invalid",
        );
    }
}

#[actix_web::test]
async fn a_session_ends_in_the_end_however_often_it_was_refreshed() {
    let app = app_with(&[("TUBEX_AUTH__REFRESH_DAYS", "2")]).await;
    add_operator(&app, "viewer").await;
    let first = Tokens::of(&sign_in(&app, &address("viewer"), PASSWORD).await);

    app.advance(time::Duration::days(1));
    let second = Tokens::of(&refresh(&app, &first.refresh).await);
    app.advance(time::Duration::days(1));

    assert_refused(
        &refresh(&app, &second.refresh).await,
        "refresh_token_invalid",
    );
    assert_refused(&me(&app, &second.access).await, "unauthenticated");
}

#[actix_web::test]
async fn the_last_active_admin_stays_one() {
    let app = app().await;
    add_operator(&app, "viewer").await;
    add_operator(&app, "admin").await;
    let admin = address("admin");

    for change in [&["--disable"][..], &["--role", "support"]] {
        let (code, said) = command(&app, &[&["operator", "set", &admin], change].concat()).await;
        assert_eq!(
            (code, &said["error"]["code"]),
            (Some(1), &json!("last_admin"))
        );
    }
    let (_, made) = command(
        &app,
        &["operator", "set", &address("viewer"), "--role", "admin"],
    )
    .await;
    assert_eq!(made["role"], "admin");
    let (code, disabled) = command(&app, &["operator", "set", &admin, "--disable"]).await;
    assert_eq!((code, &disabled["status"]), (Some(0), &json!("disabled")));
}
