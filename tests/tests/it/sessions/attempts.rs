//! Guessing passwords is slowed down, with Redis and without.

use std::sync::Arc;

use tests::{Dealer, Reply, Scratch, TestApp};

/// Three attempts, and then a wait that no busy machine outlasts.
const FEW: [(&str, &str); 2] = [
    ("TUBEX_AUTH__SIGN_IN_ATTEMPTS", "3"),
    ("TUBEX_AUTH__SIGN_IN_WAIT_SECONDS", "300"),
];

#[actix_web::test]
async fn too_many_attempts_must_wait_with_redis_and_without() {
    let nobody = "redis://127.0.0.1:1/";
    for redis in [None, Some(""), Some(nobody)] {
        let keys: Vec<_> = redis
            .map(|url| ("TUBEX_REDIS__URL", url))
            .into_iter()
            .collect();
        let app = TestApp::start_with(&[&keys[..], &FEW].concat()).await;
        let dealer = app.new_dealer().await;

        for _ in 0..3 {
            guess(&dealer).await.expect(401);
        }
        let refused = guess(&dealer).await;
        let right = dealer.sign_in(&dealer.email, &dealer.password).await;
        let upper_case = dealer.email.to_uppercase();
        let upper_case = dealer.sign_in(&upper_case, &dealer.password).await;

        for reply in [refused, right, upper_case] {
            let seen = (reply.status.as_u16(), reply.problem());
            assert_eq!(
                seen,
                (429, "too_many_attempts"),
                "{redis:?}: {}",
                reply.text()
            );
            let wait: u64 = reply.header("retry-after").parse().unwrap();
            assert!((1..=900).contains(&wait), "{wait}");
        }
        app.recorded("sign_in_blocked", &dealer, 3).await;
        dealer.get("/me").await.expect(200); // who is in stays in
    }
}

#[actix_web::test]
async fn a_success_forgives_what_failed_before() {
    let app = TestApp::start_with(&FEW).await;
    let dealer = app.new_dealer().await;

    for _ in 0..3 {
        for _ in 0..2 {
            guess(&dealer).await.expect(401);
        }
        let right = dealer.sign_in(&dealer.email, &dealer.password);
        right.await.expect(200);
    }
}

#[actix_web::test]
async fn a_blocked_address_blocks_no_other_and_no_other_dealer() {
    let app = TestApp::start_with(&FEW).await;
    let (dealer, other) = (app.new_dealer().await, app.new_dealer().await);
    for _ in 0..4 {
        guess(&dealer).await;
    }

    let unknown_here = dealer.sign_in("else@there.example", "wrong wrong");
    let same_there = other.sign_in(&dealer.email, "wrong wrong").await;
    let owner_there = other.sign_in(&other.email, &other.password);

    assert_eq!(guess(&dealer).await.status, 429);
    assert_eq!(unknown_here.await.status, 401);
    assert_eq!(same_there.status, 401);
    assert_eq!(owner_there.await.status, 200);
}

#[actix_web::test]
async fn attempts_at_two_processes_count_together() {
    let database = Arc::new(Scratch::with_dealers().await);
    let (here, there) = (
        TestApp::start_on(database.clone(), &FEW).await,
        TestApp::start_on(database, &FEW).await,
    );
    let dealer = here.new_dealer().await;
    let elsewhere = there.stranger(&dealer.host);

    guess(&dealer).await.expect(401);
    elsewhere
        .sign_in(&dealer.email, "wrong wrong")
        .await
        .expect(401);
    guess(&dealer).await.expect(401);

    elsewhere
        .sign_in(&dealer.email, &dealer.password)
        .await
        .expect(429);
}

#[actix_web::test]
async fn many_guesses_at_once_do_not_slip_through() {
    let app = TestApp::start_with(&FEW).await;
    let dealer = app.new_dealer().await;

    let all = tokio::join!(
        guess(&dealer),
        guess(&dealer),
        guess(&dealer),
        guess(&dealer),
        guess(&dealer),
        guess(&dealer),
        guess(&dealer),
        guess(&dealer),
        guess(&dealer),
        guess(&dealer),
    );
    let all = [
        all.0, all.1, all.2, all.3, all.4, all.5, all.6, all.7, all.8, all.9,
    ];

    let checked = all.iter().filter(|reply| reply.status == 401).count();
    let refused = all.iter().filter(|reply| reply.status == 429).count();
    assert_eq!((checked, refused), (3, 7));
}

async fn guess(dealer: &Dealer) -> Reply {
    let anybody = dealer.signed_out();
    anybody.sign_in(&dealer.email, "a wrong password").await
}

#[actix_web::test]
async fn each_failure_doubles_the_wait_and_a_refusal_does_not_with_redis_and_without() {
    for redis in [None, Some("")] {
        let keys = redis.map(|url| ("TUBEX_REDIS__URL", url));
        let few = [
            ("TUBEX_AUTH__SIGN_IN_ATTEMPTS", "2"),
            ("TUBEX_AUTH__SIGN_IN_WAIT_SECONDS", "100"),
        ];
        let keys: Vec<_> = few.into_iter().chain(keys).collect();
        let app = TestApp::start_with(&keys).await;
        let dealer = app.new_dealer().await;
        guess(&dealer).await.expect(401);
        let mut waits = Vec::new();

        for wait in [100, 200, 400, 800, 900] {
            guess(&dealer).await.expect(401);
            for _ in 0..2 {
                let refused = guess(&dealer).await.expect(429);
                waits.push(refused.header("retry-after").parse::<u64>().unwrap());
            }
            app.advance(time::Duration::seconds(wait + 1));
        }

        let bounds = [100, 100, 200, 200, 400, 400, 800, 800, 900, 900];
        for (wait, bound) in waits.iter().zip(bounds) {
            assert!((bound - 60..=bound).contains(wait), "{redis:?}: {waits:?}");
        }
        let right = dealer.sign_in(&dealer.email, &dealer.password);
        right.await.expect(200);
        guess(&dealer).await.expect(401);
        guess(&dealer).await.expect(401);
    }
}

#[actix_web::test]
async fn whoever_guesses_from_elsewhere_does_not_lock_the_owner_out() {
    let trusted = ("TUBEX_LIMITS__TRUSTED_PROXIES", "127.0.0.1/32");
    let app = TestApp::start_with(&[&FEW[..], &[trusted]].concat()).await;
    let dealer = app.new_dealer().await;
    let from = async |address: &str, password: &str| {
        let proof = serde_json::json!({ "email": dealer.email, "password": password });
        let request = dealer
            .signed_out()
            .request(reqwest::Method::POST, "/auth/sign-in")
            .header("x-forwarded-for", address)
            .json(&proof);
        dealer.send(request).await.status.as_u16()
    };

    for _ in 0..3 {
        assert_eq!(from("198.51.100.7", "a wrong password").await, 401);
    }

    assert_eq!(from("198.51.100.7", &dealer.password).await, 429);
    assert_eq!(from("203.0.113.9", &dealer.password).await, 200);

    // From ten addresses at last the account waits as a whole, and no longer than a minute.
    for address in 0..10 {
        for _ in 0..3 {
            from(&format!("198.51.100.{}", 20 + address), "a wrong password").await;
        }
    }
    assert_eq!(from("203.0.113.9", &dealer.password).await, 429);
    app.advance(time::Duration::seconds(61));
    assert_eq!(from("203.0.113.9", &dealer.password).await, 200);
}
