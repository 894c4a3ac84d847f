//! What must not be believed: a lying provider, and people who come back as others left.

use serde_json::{Value, json};
use tests::{OidcProvider, SignedBy};
use time::Duration;

use super::{ADA, CALLBACK, World, assert_problem, browser, come_back, parameter, with_parameter};

/// Tells the provider to lie, and tries to sign in.
async fn lied_to(world: &World, claims: Value, by: SignedBy) -> tests::Reply {
    world.provider.lie(claims, by).await;
    let reply = world.sign_in(ADA).await;
    world.provider.lie(json!({}), SignedBy::Own).await;
    reply
}

#[actix_web::test]
async fn no_lie_of_a_token_is_believed() {
    let world = World::start().await;
    let lies = [
        (json!({"iss": "https://evil.example"}), SignedBy::Own),
        (json!({"iss": null}), SignedBy::Own),
        (json!({"aud": "somebody-else"}), SignedBy::Own),
        (
            json!({"aud": [world.client.id, "somebody-else"]}),
            SignedBy::Own,
        ),
        (json!({"azp": "somebody-else"}), SignedBy::Own),
        (json!({"nonce": "another"}), SignedBy::Own),
        (json!({"nonce": null}), SignedBy::Own),
        (json!({"exp": 1}), SignedBy::Own),
        (json!({"exp": null}), SignedBy::Own),
        (json!({"sub": null}), SignedBy::Own),
        (json!({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}), SignedBy::Own),
        (json!({}), SignedBy::Stranger),
        (json!({}), SignedBy::Nobody),
        (json!({}), SignedBy::PublicKey),
    ];

    for (claims, by) in lies {
        let reply = lied_to(&world, claims.clone(), by).await;

        let seen = (reply.status.as_u16(), reply.problem());
        // A token without what every token has can't even be read.
        let refusals = [(401, "sso_refused"), (503, "identity_provider_unavailable")];
        assert!(
            refusals.contains(&seen),
            "{claims} {by:?}: {}",
            reply.text()
        );
        assert!(!reply.text().contains("access_token"));
    }
    assert_eq!(world.count("member", "email = 'ada@acme.example'").await, 0);
    assert_eq!(world.count("session", "method = 'sso'").await, 0);
    world.sign_in(ADA).await.expect(200);
}

#[actix_web::test]
async fn an_address_counts_only_if_it_is_verified_and_of_a_proven_domain() {
    let world = World::start().await;
    let claimed = json!({ "domain": "claimed.example" });
    let domains = format!("/sso-connections/{}/domains", world.connection);
    world.acme.post(&domains, claimed).await.expect(200);
    let lies = [
        json!({"email_verified": false}),
        json!({"email_verified": null}),
        json!({"email": null}),
        json!({"email": "ada@elsewhere.example"}),
        json!({"email": "ada@claimed.example"}),
        json!({"email": "ada@sub.acme.example"}),
        json!({"email": "ada@acme.example@evil.example"}),
        json!({"email": "ada"}),
    ];

    for claims in lies {
        let reply = lied_to(&world, claims.clone(), SignedBy::Own).await;

        let seen = (reply.status.as_u16(), reply.problem());
        assert_eq!(seen, (401, "sso_refused"), "{claims}: {}", reply.text());
    }
    assert_eq!(world.count("session", "method = 'sso'").await, 0);
    // Neither may somebody who was let in before, once the provider says so.
    world.sign_in(ADA).await.expect(200);
    let reply = lied_to(&world, json!({"email_verified": false}), SignedBy::Own).await;
    assert_problem(&reply, 401, "sso_refused");
}

#[actix_web::test]
async fn who_came_back_does_not_come_back_again() {
    let world = World::start().await;
    let journey = world.leave().await;
    let back = world.at_provider(&journey, ADA).await;
    world.back(&back, &journey.cookie).await.expect(200);

    let again = world.back(&back, &journey.cookie).await;
    // With a code of another journey, which the provider has not seen yet.
    let other = world.leave().await;
    let other = world.at_provider(&other, ADA).await;
    let fresh = parameter(&other, "code").unwrap();
    let fresh = with_parameter(&back, "code", Some(&fresh));
    let fresh = world.back(&fresh, &journey.cookie).await;

    assert_problem(&again, 401, "sso_refused");
    assert_problem(&fresh, 401, "sso_refused");
    assert_eq!(world.count("session", "method = 'sso'").await, 1);
}

#[actix_web::test]
async fn one_way_back_works_once_even_at_the_same_moment() {
    let world = World::start().await;
    let journey = world.leave().await;
    let back = world.at_provider(&journey, ADA).await;

    let replies = tokio::join!(
        world.back(&back, &journey.cookie),
        world.back(&back, &journey.cookie)
    );

    let let_in = [replies.0, replies.1].map(|reply| reply.status == 200);
    assert!(let_in != [true, true]);
    assert!(world.count("session", "method = 'sso'").await <= 1);
}

#[actix_web::test]
async fn nobody_is_led_into_another_ones_session() {
    let world = World::start().await;
    let (theirs, ours) = (world.leave().await, world.leave().await);
    let back = world.at_provider(&theirs, ADA).await;

    let without_cookie = world.back(&back, "").await;
    let with_ours = world.back(&back, &ours.cookie).await;
    let made_up = world.back(&back, "__Host-tubex_sso=bWFkZSB1cA").await;
    let stateless = with_parameter(&back, "state", None);
    let stateless = world.back(&stateless, &theirs.cookie).await;
    let other_state = with_parameter(&back, "state", Some("another"));
    let other_state = world.back(&other_state, &theirs.cookie).await;

    for reply in [without_cookie, with_ours, made_up, stateless, other_state] {
        assert_problem(&reply, 400, "sso_state_invalid");
    }
    world.back(&back, &theirs.cookie).await.expect(200);
}

#[actix_web::test]
async fn a_code_of_another_journey_is_worth_nothing() {
    let world = World::start().await;
    let (theirs, ours) = (world.leave().await, world.leave().await);
    let (victim, attacker) = (
        world.at_provider(&theirs, ADA).await,
        world.at_provider(&ours, ADA).await,
    );
    let stolen = parameter(&victim, "code").unwrap();

    let injected = with_parameter(&attacker, "code", Some(&stolen));
    let injected = world.back(&injected, &ours.cookie).await;
    let made_up = with_parameter(&attacker, "code", Some("made-up"));
    let made_up = world.back(&made_up, &ours.cookie).await;

    assert_problem(&injected, 401, "sso_refused");
    assert_problem(&made_up, 401, "sso_refused");
}

#[actix_web::test]
async fn a_journey_of_another_dealer_ends_nowhere() {
    let world = World::start().await;
    let bolt = world.app.dealer().await;
    let journey = world.leave().await;
    let back = world.at_provider(&journey, ADA).await;

    let there = browser(&world.app, &bolt.host);
    let elsewhere = come_back(&there, &back, &journey.cookie).await;
    let start = format!("/auth/sso/{}/start", world.connection);
    let start = there.get(&start).await;

    assert_problem(&elsewhere, 400, "sso_state_invalid");
    assert_problem(&start, 404, "sso_connection_not_found");
}

#[actix_web::test]
async fn whoever_takes_too_long_begins_anew() {
    let world = World::start().await;
    let journey = world.leave().await;
    let back = world.at_provider(&journey, ADA).await;

    world.app.advance(Duration::minutes(10));
    let late = world.back(&back, &journey.cookie).await;

    assert_problem(&late, 400, "sso_state_invalid");
}

/// RFC 9207: a provider that says who sends people back is not mixed up with another.
#[actix_web::test]
async fn whoever_was_sent_back_by_somebody_else_is_refused() {
    let world = World::start().await;
    let evil = OidcProvider::start().await;
    let journey = world.leave().await;
    let back = world.at_provider(&journey, ADA).await;
    assert_eq!(
        parameter(&back, "iss").as_deref(),
        Some(world.provider.issuer())
    );

    let mixed_up = with_parameter(&back, "iss", Some(evil.issuer()));
    let mixed_up = world.back(&mixed_up, &journey.cookie).await;
    let unsaid = with_parameter(&back, "iss", None);
    let unsaid = world.back(&unsaid, &journey.cookie).await;

    assert_problem(&mixed_up, 401, "sso_refused");
    assert_problem(&unsaid, 401, "sso_refused");
    world.back(&back, &journey.cookie).await.expect(200);
}

#[actix_web::test]
async fn somebody_the_provider_sends_back_with_an_error_is_refused() {
    let world = World::start().await;
    let journey = world.leave().await;

    let back = world.at_provider(&journey, "nobody@acme.example").await;
    let refused = world.back(&back, &journey.cookie).await;

    assert!(back.as_str().starts_with(CALLBACK));
    assert_problem(&refused, 401, "sso_refused");
    assert!(
        !refused.text().contains("access_denied"),
        "{}",
        refused.text()
    );
}
