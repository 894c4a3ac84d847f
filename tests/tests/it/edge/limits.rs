//! Who asks for too much must wait, and nobody else has to.

use std::sync::Arc;

use reqwest::Method;
use serde_json::json;
use server::http::Code;
use tests::{Actor, Dealer, Reply, Scratch, TestApp};

const NO_REDIS: (&str, &str) = ("TUBEX_REDIS__URL", "");
/// A busy machine is no outage: by default a late Redis is left alone, and then each counts alone.
const PATIENT: (&str, &str) = ("TUBEX_REDIS__TIMEOUT_MS", "10000");
/// One in a minute comes back, so that a slow machine changes no count.
const FEW_READS: [(&str, &str); 2] = [
    ("TUBEX_LIMITS__READ_PER_MINUTE", "1"),
    ("TUBEX_LIMITS__READ_BURST", "3"),
];

/// With Redis, and by what a process alone knows.
async fn both(keys: &[(&str, &str)]) -> [TestApp; 2] {
    let (together, alone) = ([keys, &[PATIENT]].concat(), [keys, &[NO_REDIS]].concat());
    [
        TestApp::start_with(&together).await,
        TestApp::start_with(&alone).await,
    ]
}

#[track_caller]
fn assert_limited(reply: &Reply) {
    assert_eq!(
        (reply.status.as_u16(), reply.problem()),
        (429, "rate_limited"),
        "{}",
        reply.text()
    );
    let wait: u64 = reply.header("retry-after").parse().expect("Retry-After");
    assert!((1..=61).contains(&wait), "{wait}");
}

async fn statuses(who: &Actor, path: &str, times: usize) -> Vec<u16> {
    let mut all = Vec::new();
    for _ in 0..times {
        all.push(who.get(path).await.status.as_u16());
    }
    all
}

#[actix_web::test]
async fn past_its_burst_a_member_must_wait_and_others_need_not() {
    for app in both(&FEW_READS).await {
        let (acme, bolt) = (app.dealer().await, app.dealer().await);
        let colleague = app.member(&acme, "viewer").await;

        assert_eq!(
            statuses(&acme, "/items", 5).await,
            [200, 200, 200, 429, 429]
        );

        assert_limited(&acme.get("/units").await);
        colleague.get("/items").await.expect(200);
        bolt.get("/items").await.expect(200);
        acme.item("A", json!({})).await; // changes have a budget of their own
    }
}

#[actix_web::test]
async fn an_answer_says_what_is_left_as_the_draft_of_the_ietf_says_it() {
    let keys = [
        ("TUBEX_LIMITS__READ_PER_MINUTE", "60"),
        ("TUBEX_LIMITS__READ_BURST", "30"),
        ("TUBEX_LIMITS__TENANT_PER_MINUTE", "600"),
        ("TUBEX_LIMITS__TENANT_BURST", "600"),
        ("TUBEX_LIMITS__ADDRESS_PER_MINUTE", "0"),
    ];
    for app in both(&keys).await {
        let acme = app.dealer().await;

        let first = acme.get("/items").await.expect(200);
        acme.get("/items").await.expect(200);
        let third = acme.get("/items").await.expect(200);

        let policy = "\"member\";q=30;w=30, \"tenant\";q=600;w=60";
        assert_eq!(first.header("ratelimit-policy"), policy);
        assert_eq!(first.header("ratelimit"), "\"member\";r=29;t=1");
        // What a slow machine lets come back in between is not told from here.
        let now = third.header("ratelimit");
        assert!(now.starts_with("\"member\";r=2"), "{now}");
    }
}

#[actix_web::test]
async fn a_refusal_says_which_budget_is_used_up() {
    for app in both(&FEW_READS).await {
        let acme = app.dealer().await;
        statuses(&acme, "/items", 3).await;

        let refused = acme.get("/items").await;

        assert_limited(&refused);
        let standing = refused.header("ratelimit");
        assert!(standing.starts_with("\"member\";r=0;t="), "{standing}");
        let policies = refused.header("ratelimit-policy");
        for name in ["\"address\"", "\"member\"", "\"tenant\""] {
            assert!(policies.contains(name), "{policies}");
        }
        assert_eq!(refused.json["type"], Code::RateLimited.uri());
        assert_eq!(refused.header("cache-control"), "no-store");
    }
}

/// The dealer's budget has room for five. Two of the owner's are refused by the owner's own
/// budget: had they been charged, the colleague would get one less.
#[actix_web::test]
async fn what_is_refused_is_charged_to_nobody() {
    let keys = [
        &FEW_READS[..],
        &[
            ("TUBEX_LIMITS__TENANT_PER_MINUTE", "1"),
            ("TUBEX_LIMITS__TENANT_BURST", "5"),
        ],
    ]
    .concat();
    for app in both(&keys).await {
        let acme = app.dealer().await;
        let colleague = app.member(&acme, "viewer").await;

        assert_eq!(
            statuses(&acme, "/items", 5).await,
            [200, 200, 200, 429, 429]
        );

        assert_eq!(statuses(&colleague, "/items", 3).await, [200, 200, 429]);
        let refused = colleague.get("/items").await;
        let standing = refused.header("ratelimit");
        assert!(standing.starts_with("\"tenant\";r=0"), "{standing}");
    }
}

#[actix_web::test]
async fn a_file_counts_for_many_requests() {
    let keys = [
        ("TUBEX_LIMITS__WRITE_PER_MINUTE", "1"),
        ("TUBEX_LIMITS__WRITE_BURST", "10"),
        ("TUBEX_LIMITS__HEAVY_COST", "4"),
    ];
    for app in both(&keys).await {
        let acme = app.dealer().await;
        let import = async || {
            let file = "sku,name,unit,price\nA,a,pcs,1.50\n";
            acme.send_file("", file).await.status.as_u16()
        };

        assert_eq!(import().await, 202);
        assert_eq!(import().await, 202);
        assert_eq!(import().await, 429);
        acme.item("A", json!({})).await;
        acme.item("B", json!({})).await;
        let full = json!({"sku": "C", "name": "C", "base_unit": "pcs"});
        assert_limited(&acme.post("/items", full).await);
    }
}

#[actix_web::test]
async fn signing_in_is_limited_by_address_and_dealer_with_redis_and_without() {
    let keys = [
        ("TUBEX_LIMITS__AUTH_PER_MINUTE", "1"),
        ("TUBEX_LIMITS__AUTH_BURST", "4"),
    ];
    let nobody = ("TUBEX_REDIS__URL", "redis://127.0.0.1:1/");
    let away = [&keys[..], &[nobody]].concat();
    let apps = both(&keys).await.into_iter();
    for app in apps.chain([TestApp::start_with(&away).await]) {
        let (acme, bolt) = (app.dealer().await, app.dealer().await); // one of four each
        let guess = async |n: usize| {
            let anybody = acme.signed_out();
            let email = format!("{n}@nowhere.example"); // never the same account
            anybody.sign_in(&email, "wrong wrong").await
        };
        for n in 0..3 {
            guess(n).await.expect(401);
        }

        assert_limited(&guess(3).await);
        assert_limited(&acme.sign_in(&acme.email, &acme.password).await);
        assert_limited(
            &acme
                .signed_out()
                .post("/auth/refresh", json!({"refresh_token": "x"}))
                .await,
        );
        acme.get("/me").await.expect(200); // who is in stays in
        bolt.sign_in(&bolt.email, &bolt.password).await.expect(200);
    }
}

/// A proxy in front says for whom it asks; anybody else who says so is not believed.
#[actix_web::test]
async fn behind_a_trusted_proxy_each_client_has_its_own_budget() {
    let few = [
        ("TUBEX_LIMITS__ADDRESS_PER_MINUTE", "1"),
        ("TUBEX_LIMITS__ADDRESS_BURST", "4"),
    ];
    let trusted = [
        &few[..],
        &[("TUBEX_LIMITS__TRUSTED_PROXIES", "127.0.0.0/8")],
    ]
    .concat();
    let ask = async |who: &Dealer, client: &str| {
        let request = who.request(Method::GET, "/items");
        let reply = who.send(request.header("x-forwarded-for", client)).await;
        reply.status.as_u16()
    };

    for app in both(&trusted).await {
        let acme = app.dealer().await;
        for _ in 0..4 {
            assert_eq!(ask(&acme, "198.51.100.1").await, 200);
        }
        assert_eq!(ask(&acme, "198.51.100.1").await, 429);
        // What the client itself claims stands further to the left.
        assert_eq!(ask(&acme, "203.0.113.7, 198.51.100.1").await, 429);
        assert_eq!(ask(&acme, "198.51.100.2").await, 200);
    }
    for app in both(&few).await {
        let acme = app.dealer().await; // its sign-in was the first of four
        for n in 0..3 {
            assert_eq!(ask(&acme, &format!("198.51.100.{n}")).await, 200);
        }
        assert_eq!(
            ask(&acme, "198.51.100.9").await,
            429,
            "a made-up address is no other"
        );
    }
}

#[actix_web::test]
async fn processes_count_together_in_redis_and_share_without() {
    let database = Arc::new(Scratch::with_dealers().await);
    let patient = [&FEW_READS[..], &[PATIENT]].concat();
    let (here, there) = (
        TestApp::start_on(database.clone(), &patient).await,
        TestApp::start_on(database.clone(), &patient).await,
    );
    let acme = here.dealer().await;
    let base = there.stranger(&acme.host);
    let elsewhere = base.with_token(acme.token.as_deref().unwrap());

    acme.get("/items").await.expect(200);
    elsewhere.get("/items").await.expect(200);
    acme.get("/items").await.expect(200);
    assert_limited(&elsewhere.get("/items").await);
    assert_limited(&acme.get("/items").await);

    let keys = [
        NO_REDIS,
        ("TUBEX_LIMITS__READ_PER_MINUTE", "4"),
        ("TUBEX_LIMITS__READ_BURST", "8"),
        ("TUBEX_DATABASE__PROCESSES", "4"),
        // So many processes have to fit the test's database.
        ("TUBEX_DATABASE__PLATFORM_CONNECTIONS", "2"),
    ];
    let alone = TestApp::start_on(Scratch::with_lane_of(2).await, &keys).await;
    let acme = alone.dealer().await;
    assert_eq!(statuses(&acme, "/items", 3).await, [200, 200, 429]);
}

#[actix_web::test]
async fn what_was_used_comes_back_with_time() {
    let app = TestApp::start_with(&[&FEW_READS[..], &[NO_REDIS]].concat()).await;
    let acme = app.dealer().await;
    assert_eq!(statuses(&acme, "/items", 4).await, [200, 200, 200, 429]);

    app.advance(time::Duration::seconds(61));

    assert_eq!(statuses(&acme, "/items", 2).await, [200, 429]);
}

#[actix_web::test]
async fn no_limit_is_no_limit_and_says_nothing() {
    let none = ["ADDRESS", "AUTH", "READ", "WRITE", "TENANT"]
        .map(|name| format!("TUBEX_LIMITS__{name}_PER_MINUTE"));
    let keys = none.each_ref().map(|name| (name.as_str(), "0"));
    let app = TestApp::start_with(&keys).await;
    let acme = app.dealer().await;

    let reply = acme.get("/items").await.expect(200);

    assert_eq!(reply.header("ratelimit"), "");
    assert_eq!(reply.header("ratelimit-policy"), "");
}

/// The many at once get no more than the burst, counted in one question each.
#[actix_web::test]
async fn many_at_once_do_not_slip_through() {
    for app in both(&FEW_READS).await {
        let acme = app.dealer().await;
        let asked: Vec<_> = (0..20)
            .map(|_| {
                let who = acme.owner.clone();
                actix_web::rt::spawn(async move { who.get("/items").await })
            })
            .collect();
        let mut all = Vec::new();
        for one in asked {
            all.push(one.await.unwrap());
        }

        let served = all.iter().filter(|reply| reply.status == 200).count();
        let refused = all.iter().filter(|reply| reply.problem() == "rate_limited");
        assert_eq!((served, refused.count()), (3, 17));
    }
}

#[actix_web::test]
async fn a_budget_goes_by_its_own_rate_and_key() {
    for app in both(&[]).await {
        let now = app.state.clock.now();
        let budget = |key: &str| server::limits::Budget {
            name: "key",
            key: format!("limit:key:{key}"),
            per_minute: 2,
            burst: 2,
            cost: 1,
        };
        let unique = uuid::Uuid::now_v7().to_string();
        let mine = [budget(&unique)];

        let verdicts = [
            app.state.limits.charge(&mine, now).await.wait(),
            app.state.limits.charge(&mine, now).await.wait(),
            app.state.limits.charge(&mine, now).await.wait(),
        ];

        assert_eq!(verdicts[..2], [None, None]);
        assert!(
            verdicts[2].is_some_and(|wait| (1..=30).contains(&wait)),
            "{verdicts:?}"
        );
        let other = [budget(&uuid::Uuid::now_v7().to_string())];
        assert_eq!(app.state.limits.charge(&other, now).await.wait(), None);
    }
}
