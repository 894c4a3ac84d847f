//! Several server processes on one database; what fails around them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use tests::local::Redis;
use tests::local::account::Account;
use tests::local::place::ThrowAway;
use tests::{EventStream, Scratch, ServerProcess, TestApp, Wire, eventually};

use super::{ids, log_after, new_unit, owner_at};

#[actix_web::test]
async fn what_one_process_changes_is_heard_at_another() {
    let database = Scratch::with_dealers().await;
    let here = ServerProcess::start(&database, &[], "").await;
    let there = ServerProcess::start(&database, &[], "").await;
    let (writer, reader) = (owner_at(&here).await, owner_at(&there).await);
    let mut stream = EventStream::open(&reader, "/events?topics=items", None).await;
    let begin = stream.last_id.parse().unwrap();
    let mut slowest = Duration::ZERO;

    for n in 0..20 {
        let code = format!("u{n}");
        new_unit(&writer, &code).await;
        let committed = Instant::now();
        let heard = stream.next().await.unwrap();
        assert_eq!(heard.data["data"]["id"], code);
        slowest = slowest.max(committed.elapsed());
    }

    assert_eq!(log_after(&database, "acme", begin).await.len(), 20);
    // The look by itself comes once a second: it was the bell.
    assert!(slowest < Duration::from_millis(900), "{slowest:?}");
}

/// Writers go on while the process that streams is killed and started again, twice.
#[actix_web::test]
async fn a_stream_goes_on_over_restarts_without_loss_or_repetition() {
    let database = Arc::new(Scratch::with_dealers().await);
    let here = ServerProcess::start(&database, &[], "").await;
    let mut there = ServerProcess::start(&database, &[], "").await;
    let (writer, reader) = (owner_at(&here).await, owner_at(&there).await);
    let mut stream = EventStream::open(&reader, "/events", None).await;
    let begin: i64 = stream.last_id.parse().unwrap();
    let writing: Vec<_> = (0..4)
        .map(|hand| {
            let writer = writer.clone();
            actix_web::rt::spawn(async move {
                for n in 0..25 {
                    new_unit(&writer, &format!("w{hand}_{n}")).await;
                }
            })
        })
        .collect();
    let mut heard = Vec::new();

    for is_gentle in [false, true] {
        heard.extend(stream.until(|heard| heard.event.contains('.')).await);
        if is_gentle {
            let asked = Instant::now();
            there.terminate().await;
            assert!(
                asked.elapsed() < Duration::from_secs(10),
                "a stream held it up"
            );
        } else {
            there.kill();
        }
        while let Some(rest) = stream.next().await {
            heard.push(rest);
        }
        there.start_again().await;
        let last_id = stream.last_id.clone();
        stream = EventStream::open(&reader, "/events", Some(&last_id)).await;
    }
    for hand in writing {
        hand.await.unwrap();
    }
    let all = log_after(&database, "acme", begin).await;
    let last = all.last().unwrap().to_string();
    if ids(&heard).last() != all.last() {
        heard.extend(stream.until(|heard| heard.id == last).await);
    }

    assert_eq!(ids(&heard), all);
    assert!(all.len() >= 100);
    assert!(
        heard
            .iter()
            .any(|it| it.event == "closed" && it.data["reason"] == "restart")
    );
}

#[actix_web::test]
async fn redis_has_no_part_in_it() {
    let account = Account::detect().unwrap();
    let folder = ThrowAway::create(&account).unwrap();
    let redis = Redis::start(&folder.path().join("redis")).unwrap();
    let app = TestApp::start_with(&[("TUBEX_REDIS__URL", &redis.url())]).await;
    let acme = app.dealer().await;
    let mut stream = EventStream::open(&acme, "/events", None).await;
    new_unit(&acme, "with").await;
    assert_eq!(stream.next().await.unwrap().data["data"]["id"], "with");

    redis.stop().unwrap();
    new_unit(&acme, "without").await;

    assert_eq!(stream.next().await.unwrap().data["data"]["id"], "without");
}

#[actix_web::test]
async fn streams_outlive_a_database_that_goes_and_comes_back() {
    let database = Scratch::with_dealers().await;
    let wire = Wire::to(&database).await;
    let keys = [
        ("TUBEX_DATABASE__URL", wire.url()),
        ("TUBEX_DATABASE__ACQUIRE_TIMEOUT_MS", "2000"),
        ("TUBEX_LIVE__HEARTBEAT_SECONDS", "1"),
    ];
    let app = TestApp::start_on(database, &keys).await;
    let acme = app.dealer().await;
    let schema = app.database.schema_of("acme").await;
    let mut stream = EventStream::open(&acme, "/events", None).await;
    let begin: i64 = stream.last_id.parse().unwrap();

    wire.cut();
    // Somebody else's doing, while this process sees nothing.
    app.sql(&format!(
        "WITH head AS (INSERT INTO {schema}.event_head AS head (is_only, last_id) VALUES (true, 1)
            ON CONFLICT (is_only) DO UPDATE SET last_id = head.last_id + 1 RETURNING last_id)
         INSERT INTO {schema}.event (id, kind, topic, at, data)
         SELECT last_id, 'item.updated', 'items', now(), '{{\"id\": \"meanwhile\"}}' FROM head"
    ))
    .await;
    assert!(stream.block().await.unwrap().starts_with(": still here"));
    wire.mend();
    eventually("it can be written again", async || {
        let unit = json!({"code": "after", "name": "A", "symbol": "a", "decimals": 0});
        let reply = acme.post("/units", unit).await;
        reply.status == 201 || reply.status == 409
    })
    .await;

    let heard = stream
        .until(|heard| heard.data["data"]["id"] == "after")
        .await;
    assert_eq!(ids(&heard), [begin + 1, begin + 2]);
    assert_eq!(heard[0].data["data"]["id"], "meanwhile");
}
