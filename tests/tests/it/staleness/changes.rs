//! Changes made at one server, and what another one says of them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;
use tests::local::Redis;
use tests::local::account::Account;
use tests::local::place::ThrowAway;
use tests::{Actor, Dealer, Scratch, TestApp, Wire};

use super::watch;

const ROLES: [&str; 5] = ["viewer", "buyer", "admin", "driver", "branch_manager"];

/// Two servers on one database.
struct Pair {
    here: TestApp,
    there: TestApp,
    acme: Dealer,
    schema: String,
}

impl Pair {
    async fn start(redis: Option<&str>) -> Self {
        let database = Arc::new(Scratch::with_dealers().await);
        let keys: Vec<_> = redis
            .map(|url| ("TUBEX_REDIS__URL", url))
            .into_iter()
            .collect();
        let here = TestApp::start_on(database.clone(), &keys).await;
        let there = TestApp::start_on(database, &keys).await;
        let acme = here.dealer().await;
        let schema = here.database.schema_of("acme").await;
        Self {
            here,
            there,
            acme,
            schema,
        }
    }

    /// The same person, asking each server.
    fn both(&self, who: &Actor) -> [Actor; 2] {
        let token = who.token.as_ref().unwrap();
        let there = self.there.stranger(&who.host).with_token(token);
        [who.clone(), there]
    }

    async fn change(&self, statement: &str) -> Instant {
        self.here.sql_on_access(&self.schema, statement).await;
        Instant::now()
    }
}

/// Both servers are watched at the same time.
async fn watch_both(
    both: &[Actor; 2],
    acknowledged: Instant,
    what: &str,
    is_new: impl Fn(&tests::Reply) -> bool + Copy,
) {
    let [here, there] = both;
    tokio::join!(
        watch(here, acknowledged, what, is_new),
        watch(there, acknowledged, what, is_new)
    );
}

/// Every change that there is, one after the other; the numbers make it a walk, always the same.
async fn no_old_answer_is_served(redis: Option<&str>, mut disturb: impl AsyncFnMut(usize)) {
    let pair = Pair::start(redis).await;
    let member = pair.here.member(&pair.acme, "viewer").await;
    let both = pair.both(&member);
    for who in &both {
        who.get("/me").await.expect(200);
    }
    let email = "viewer@acme.example";
    let mut role = "viewer";
    for step in 0..8 {
        disturb(step).await;
        let next = ROLES[(step * 3 + 1) % ROLES.len()];
        let next = if next == role {
            ROLES[(step * 3 + 2) % ROLES.len()]
        } else {
            next
        };
        let (table, what) = (&pair.schema, format!("step {step}: {role} becomes {next}"));
        let statement =
            format!("UPDATE {table}.member SET role = '{next}' WHERE email = '{email}'");
        let acknowledged = pair.change(&statement).await;

        watch_both(&both, acknowledged, &what, |reply| {
            reply.expect_role().is_some_and(|seen| seen == next)
        })
        .await;
        role = next;
    }

    let disable = format!(
        "UPDATE {}.member SET status = 'disabled' WHERE email = '{email}'",
        pair.schema
    );
    let acknowledged = pair.change(&disable).await;
    watch_both(&both, acknowledged, "deactivated", |reply| {
        reply.status == 401
    })
    .await;
    let enable = format!(
        "UPDATE {}.member SET status = 'active' WHERE email = '{email}'",
        pair.schema
    );
    let acknowledged = pair.change(&enable).await;
    watch_both(&both, acknowledged, "activated", |reply| {
        reply.status == 200
    })
    .await;
    let raise = format!(
        "UPDATE {}.member SET token_version = token_version + 1 WHERE email = '{email}'",
        pair.schema
    );
    let acknowledged = pair.change(&raise).await;
    watch_both(&both, acknowledged, "tokens voided", |reply| {
        reply.status == 401
    })
    .await;

    let owner = pair.both(&pair.acme.owner);
    let session = pair.acme.get("/me/sessions").await.expect(200).json["data"][0]["id"].clone();
    owner[1].get("/me").await.expect(200);
    let path = format!("/me/sessions/{}", session.as_str().unwrap());
    pair.acme.delete(&path).await.expect(204);
    watch_both(&owner, Instant::now(), "revoked", |reply| {
        reply.status == 401
    })
    .await;

    let again = pair.here.enter("acme").await;
    let both = pair.both(&again.owner);
    both[1].get("/me").await.expect(200);
    let void = json!({"confirm": "acme"});
    again
        .post("/security/void-all-tokens", void)
        .await
        .expect(200);
    watch_both(&both, Instant::now(), "all voided", |reply| {
        reply.status == 401
    })
    .await;
}

trait Seen {
    fn expect_role(&self) -> Option<&str>;
}

impl Seen for tests::Reply {
    /// The role that an answer tells; nothing at all but such an answer may come.
    fn expect_role(&self) -> Option<&str> {
        assert_eq!(self.status, 200, "{}", self.text());
        self.json["role"].as_str()
    }
}

#[actix_web::test]
async fn with_redis_no_server_serves_an_old_answer_after_a_second() {
    no_old_answer_is_served(None, async |_| {}).await;
}

#[actix_web::test]
async fn without_redis_no_server_serves_an_old_answer_after_a_second() {
    no_old_answer_is_served(Some(""), async |_| {}).await;
}

#[actix_web::test]
async fn while_redis_goes_no_server_serves_an_old_answer_after_a_second() {
    let account = Account::detect().unwrap();
    let folder = ThrowAway::create(&account).unwrap();
    let redis = Redis::start(&folder.path().join("redis")).unwrap();
    let url = redis.url();
    let mut redis = Some(redis);

    no_old_answer_is_served(Some(&url), async |step| {
        if step == 3
            && let Some(running) = redis.take()
        {
            running.stop().unwrap();
        }
    })
    .await;

    assert!(redis.is_none());
}

#[actix_web::test]
async fn without_a_database_nobody_goes_by_what_they_remember_and_nothing_hangs() {
    let database = Scratch::with_dealers().await;
    let wire = Wire::to(&database).await;
    let keys = [
        ("TUBEX_DATABASE__URL", wire.url()),
        ("TUBEX_DATABASE__ACQUIRE_TIMEOUT_MS", "1000"),
    ];
    let app = TestApp::start_on(database, &keys).await;
    let acme = app.dealer().await;
    acme.get("/me").await.expect(200);

    wire.silence();
    let silent_from = Instant::now();
    let ask = async || {
        let asked = Instant::now();
        let request = acme.request(Method::GET, "/me");
        let reply = acme.send(request).await;
        (asked.duration_since(silent_from), asked.elapsed(), reply)
    };
    // Requests that come at once wait for one question, not for one another.
    let mut refused = 0;
    while refused < 3 {
        let (one, two, three) = tokio::join!(ask(), ask(), ask());
        for (asked, took, reply) in [one, two, three] {
            assert!(took < Duration::from_secs(5), "it took {took:?}");
            if reply.status == 200 {
                assert!(asked <= super::BOUND, "old knowledge {asked:?} later");
            } else {
                assert_eq!(reply.status, 503, "{}", reply.text());
                refused += 1;
            }
        }
    }

    wire.mend();
    acme.get("/me").await.expect(200);
}
