//! A refresh token has one successor. Who may hear of it again, and who is taken for a thief.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;
use tests::{Actor, Reply, TestApp};

use super::{Tokens, assert_refused, refresh};

/// On a busy machine twenty requests of one dealer take a while.
const PATIENT: (&str, &str) = ("TUBEX_DATABASE__TENANT_WAIT_MS", "30000");

/// A refresh by a client that calls itself something.
async fn refresh_as(actor: &Actor, agent: &str, token: &str) -> Reply {
    let anybody = actor.signed_out();
    let request = anybody
        .request(Method::POST, "/auth/refresh")
        .header("user-agent", agent)
        .json(&json!({ "refresh_token": token }));
    anybody.send(request).await
}

#[actix_web::test]
async fn twenty_refreshes_at_once_by_one_client_all_get_the_same_successor() {
    let app = TestApp::start_with(&[PATIENT]).await;
    let acme = app.dealer().await;
    let first = Tokens::of(&acme).await;

    let all = join_all((0..20).map(|_| refresh(&acme, &first.refresh))).await;

    let second: Vec<_> = all.iter().map(Tokens::in_reply).collect();
    assert!(second.iter().all(|it| it.refresh == second[0].refresh));
    assert_ne!(second[0].refresh, first.refresh);
    for tokens in &second {
        let here = acme.with_token(&tokens.access);
        here.get("/me").await.expect(200);
    }
    let third = Tokens::in_reply(&refresh(&acme, &second[0].refresh).await);
    acme.with_token(&third.access).get("/me").await.expect(200);
    app.recorded("refresh_token_reused", &acme, 0).await;
}

#[actix_web::test]
async fn a_replaced_token_from_another_client_ends_the_session_even_at_once() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let first = Tokens::of(&acme).await;
    let second = Tokens::in_reply(&refresh_as(&acme, "Browser", &first.refresh).await);

    let thief = refresh_as(&acme, "Thief", &first.refresh).await;

    assert_refused(&thief, "refresh_token_invalid");
    let owner = refresh_as(&acme, "Browser", &second.refresh).await;
    assert_refused(&owner, "refresh_token_invalid");
    let ended = acme.with_token(&second.access).get("/me").await;
    assert_refused(&ended, "unauthenticated");
    app.recorded("refresh_token_reused", &acme, 1).await;
    acme.get("/me").await.expect(200); // another session of the same member
}

#[actix_web::test]
async fn a_token_two_generations_old_ends_the_session_even_at_once_and_from_the_same_client() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let first = Tokens::of(&acme).await;
    let second = Tokens::in_reply(&refresh(&acme, &first.refresh).await);
    let third = Tokens::in_reply(&refresh(&acme, &second.refresh).await);

    let old = refresh(&acme, &first.refresh).await;

    assert_refused(&old, "refresh_token_invalid");
    assert_refused(
        &refresh(&acme, &third.refresh).await,
        "refresh_token_invalid",
    );
    app.recorded("refresh_token_reused", &acme, 1).await;
}

#[actix_web::test]
async fn the_successor_may_be_asked_for_again_for_as_long_as_is_configured() {
    let app = TestApp::start_with(&[("TUBEX_AUTH__REFRESH_REPLAY_SECONDS", "3")]).await;
    let acme = app.dealer().await;
    let first = Tokens::of(&acme).await;
    let second = Tokens::in_reply(&refresh(&acme, &first.refresh).await);

    app.advance(::time::Duration::seconds(2));
    let again = Tokens::in_reply(&refresh(&acme, &first.refresh).await);
    app.advance(::time::Duration::seconds(2));
    let late = refresh(&acme, &first.refresh).await;

    assert_eq!(again.refresh, second.refresh);
    assert_refused(&late, "refresh_token_invalid");
    app.recorded("refresh_token_reused", &acme, 1).await;
}

/// Whoever wins, no two of them are in for good, and the theft is on record.
#[actix_web::test]
async fn of_an_owner_and_a_thief_who_race_neither_keeps_what_the_other_has() {
    let app = TestApp::start_with(&[PATIENT]).await;
    let acme = app.dealer().await;
    let first = Tokens::of(&acme).await;

    let race = (0..20).map(|n| {
        let agent = if n % 2 == 0 { "Browser" } else { "Thief" };
        refresh_as(&acme, agent, &first.refresh)
    });
    let all = join_all(race).await;

    assert!(all.iter().any(|reply| reply.status == 401));
    for reply in all.iter().filter(|reply| reply.status == 200) {
        let tokens = Tokens::in_reply(reply);
        let next = refresh_as(&acme, "Browser", &tokens.refresh).await;
        assert_refused(&next, "refresh_token_invalid");
        let ended = acme.with_token(&tokens.access).get("/me").await;
        assert_refused(&ended, "unauthenticated");
    }
    app.recorded("refresh_token_reused", &acme, 1).await;
}
