//! Postgres and Redis are stopped, killed and started again under open streams: nobody misses
//! anything, and nobody is told twice.

use serde_json::json;
use tests::local::Redis;
use tests::local::account::Account;
use tests::local::place::ThrowAway;
use tests::local::postgres::Stopping;
use tests::{Actor, EventSocket, EventStream, Scratch, ServerProcess, eventually};

use super::{ids, log_after, owner_at};
use crate::jobs::{count, fill_queue, make_effects, unfinished};

/// Changes in so many hands, and so many in each.
const HANDS: usize = 4;
const EACH: usize = 30;
const ERRANDS: u32 = 300;

/// Makes so many changes, whatever it takes.
async fn write(who: Actor, name: String) {
    for number in 0..EACH {
        let code = format!("{name}_{number}");
        let unit = json!({"code": code, "name": code, "symbol": "u", "decimals": 0});
        eventually("it is written", async || {
            let status = who.post("/units", unit.clone()).await.status.as_u16();
            // What was refused for now may have been done all the same.
            assert!([201, 409, 503].contains(&status), "{status}");
            status != 503
        })
        .await;
    }
}

fn write_in_all_hands(who: &Actor) -> Vec<actix_web::rt::task::JoinHandle<()>> {
    let hands = (0..HANDS).map(|hand| write(who.clone(), format!("w{hand}")));
    hands.map(actix_web::rt::spawn).collect()
}

/// All that a stream tells up to the last event; one that ends says why, and is gone on with.
async fn to_the_last(mut stream: EventStream, who: &Actor, last: i64) -> Vec<i64> {
    let (mut all, mut why) = (Vec::new(), None);
    while all.last() != Some(&last) {
        match stream.next().await {
            Some(heard) if heard.event == "closed" => why = Some(heard),
            Some(heard) => all.extend(ids(&[heard])),
            None => {
                assert!(why.take().is_some(), "it ended without a word");
                let last_id = stream.last_id.clone();
                stream = EventStream::open(who, "/events", Some(&last_id)).await;
            }
        }
    }
    all
}

/// The same through a WebSocket.
async fn to_the_last_of_socket(mut socket: EventSocket, who: &Actor, last: i64) -> Vec<i64> {
    let mut all: Vec<i64> = Vec::new();
    let mut why = None;
    while all.last() != Some(&last) {
        match socket.next().await {
            Some(message) if message["type"] == "closed" => why = Some(message),
            Some(message) if message["type"] == "event" => {
                all.push(message["id"].as_str().unwrap().parse().unwrap());
            }
            Some(_) => {}
            None => {
                assert!(why.take().is_some(), "it ended without a word");
                let after = all.last().copied().unwrap_or_default();
                socket = EventSocket::open(who, &format!("/ws?after={after}")).await;
            }
        }
    }
    all
}

#[actix_web::test]
async fn a_postgres_that_is_restarted_under_streams_costs_them_no_event() {
    let (_folder, mut postgres, database) = Scratch::on_its_own_postgres().await;
    database.settle(&["acme"], 3).await;
    let here = ServerProcess::start(&database, &[], "").await;
    let there = ServerProcess::start(&database, &[], "").await;
    let (writer, reader) = (owner_at(&here).await, owner_at(&there).await);
    let stream = EventStream::open(&reader, "/events", None).await;
    let socket = EventSocket::open(&reader, "/ws").await;
    let first = stream.last_id.clone();
    let begin: i64 = first.parse().unwrap();
    let hands = write_in_all_hands(&writer);

    for (stopping, at_least) in [(Stopping::Fast, 10), (Stopping::Immediate, 50)] {
        eventually("it is written on", async || {
            log_after(&database, "acme", begin).await.len() >= at_least
        })
        .await;
        let restarting = tokio::task::spawn_blocking(move || {
            postgres.restart(stopping).unwrap();
            postgres
        });
        postgres = restarting.await.unwrap();
    }
    for hand in hands {
        hand.await.unwrap();
    }
    let all = log_after(&database, "acme", begin).await;
    let last = *all.last().unwrap();
    let again = EventStream::open(&reader, "/events", Some(&first)).await;

    assert_eq!(all.len(), HANDS * EACH);
    assert_eq!(to_the_last(stream, &reader, last).await, all);
    assert_eq!(to_the_last_of_socket(socket, &reader, last).await, all);
    assert_eq!(to_the_last(again, &reader, last).await, all);
    drop((here, there, database));
    postgres.stop().unwrap();
}

#[actix_web::test]
async fn a_redis_that_is_killed_and_restarted_costs_no_event_and_no_job() {
    let folder = ThrowAway::create(&Account::detect().unwrap()).unwrap();
    let dir = folder.path().join("redis");
    let starting = tokio::task::spawn_blocking(move || Redis::start(&dir));
    let mut redis = starting.await.unwrap().unwrap();
    let url = redis.url();
    let keys = [("TUBEX_REDIS__URL", url.as_str())];
    let database = Scratch::with_dealers().await;
    let schema = database.schema_of("acme").await;
    make_effects(&database, &schema).await;
    let here = ServerProcess::start(&database, &keys, "").await;
    let there = ServerProcess::start(&database, &keys, "").await;
    let (writer, reader) = (owner_at(&here).await, owner_at(&there).await);
    let stream = EventStream::open(&reader, "/events", None).await;
    let socket = EventSocket::open(&reader, "/ws").await;
    let begin: i64 = stream.last_id.parse().unwrap();
    fill_queue(&database, &schema, "write", ERRANDS).await;
    let _worker = ServerProcess::errand_worker(&database, &keys).await;
    let effects = format!("SELECT count(*) FROM {schema}.errand_effect");
    let hands = write_in_all_hands(&writer);

    for (at_least, done) in [(10, 20), (50, 60), (80, 100)] {
        eventually("work and changes go on", async || {
            log_after(&database, "acme", begin).await.len() >= at_least
                && count(&database, &effects).await >= done
        })
        .await;
        let crashing = tokio::task::spawn_blocking(move || {
            redis.crash().unwrap();
            redis
        });
        redis = crashing.await.unwrap();
    }
    for hand in hands {
        hand.await.unwrap();
    }
    eventually("all jobs are done", async || {
        unfinished(&database).await == 0
    })
    .await;

    let all = log_after(&database, "acme", begin).await;
    let last = *all.last().unwrap();
    assert_eq!(all.len(), HANDS * EACH);
    assert_eq!(to_the_last(stream, &reader, last).await, all);
    assert_eq!(to_the_last_of_socket(socket, &reader, last).await, all);
    assert_eq!(count(&database, &effects).await, i64::from(ERRANDS));
    let distinct = format!("SELECT count(DISTINCT name) FROM {schema}.errand_effect");
    assert_eq!(count(&database, &distinct).await, i64::from(ERRANDS));
    redis.stop().unwrap();
}
