//! Workers as processes of their own: killed, suspended, asked to end, taken along by a job.

use std::time::Duration;

use server::jobs::{Enqueue, enqueue};
use tests::errands::{Errand, Vigil};
use tests::errands_survive::survive;
use tests::{Dealer, Scratch, ServerProcess, TestApp, eventually, tubex};

use super::{count, effects, hand, hand_over, in_state, make_effects};

const SHORT_LEASE: (&str, &str) = ("TUBEX_JOBS__LEASE_MS", "800");
/// Some statement of ours waits for the next one in its transaction, with an effect written.
const DAWDLES: &str = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
    AND state = 'idle in transaction' AND query LIKE '%INSERT INTO errand_effect%'";

#[actix_web::test]
async fn workers_that_are_killed_at_random_lose_nothing_and_do_nothing_twice() {
    let database = Scratch::with_dealers().await;
    let schema = database.schema_of("acme").await;
    make_effects(&database, &schema).await;

    let tally = survive(&database, &schema, 20, 7).await.unwrap();

    assert!(tally.is_exact(), "{tally:?}");
    assert!(tally.rescued > 0, "nobody was killed at work: {tally:?}");
}

#[actix_web::test]
async fn a_worker_that_was_suspended_past_its_lease_cannot_commit() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let schema = app.database.schema_of(&dealer.slug).await;
    make_effects(&app.database, &schema).await;
    // Only the fence is to keep it from committing.
    let patient = ("TUBEX_DATABASE__IDLE_IN_TRANSACTION_TIMEOUT_MS", "60000");
    let keys = [SHORT_LEASE, patient];
    let first = ServerProcess::errand_worker(&app.database, &keys).await;
    keep_vigil(&app, &dealer, 500).await;
    eventually("it has written", async || {
        count(&app.database, DAWDLES).await == 1
    })
    .await;

    first.suspend();
    let second = ServerProcess::errand_worker(&app.database, &keys).await;
    eventually("another did it", async || {
        effects(&app.database, &schema, "vigil").await == 1
            && count(&app.database, "SELECT count(*) FROM jobs.job").await == 0
    })
    .await;
    first.resume();

    eventually("the first knows that it lost", async || {
        let told = first.metrics().await.unwrap_or_default();
        told.contains("tubex_job_attempts_total{kind=\"test.vigil\",outcome=\"lost\"} 1")
    })
    .await;
    eventually("its transaction is over", async || {
        count(&app.database, DAWDLES).await == 0
    })
    .await;
    assert_eq!(effects(&app.database, &schema, "vigil").await, 1);
    drop(second);
}

#[actix_web::test]
async fn a_job_that_takes_its_workers_with_it_is_buried_when_it_has_had_its_attempts() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    hand_over(&app, &dealer, "abort", "poison").await;
    let mut worker = ServerProcess::errand_worker(&app.database, &[SHORT_LEASE]).await;

    for attempt in 1..=3 {
        let begun = format!("SELECT count(*) FROM jobs.job WHERE attempt >= {attempt}");
        eventually("it is begun", async || {
            count(&app.database, &begun).await == 1
        })
        .await;
        worker.kill();
        worker.start_again().await;
    }

    eventually("it is dead", async || {
        in_state(&app.database, "dead").await == 1
    })
    .await;
    let lost = "SELECT count(*) FROM jobs.job, jsonb_array_elements(errors) AS error
        WHERE error ->> 'class' = 'lost'";
    assert_eq!(count(&app.database, lost).await, 3);
    hand_over(&app, &dealer, "nothing", "another").await;
    eventually("others are done", async || {
        count(&app.database, "SELECT count(*) FROM jobs.job").await == 1
    })
    .await;
}

#[actix_web::test]
async fn a_worker_that_is_asked_to_end_finishes_what_it_can_and_gives_back_the_rest() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let schema = app.database.schema_of(&dealer.slug).await;
    make_effects(&app.database, &schema).await;
    let keys = [("TUBEX_JOBS__DRAIN_SECONDS", "2")];
    let mut worker = ServerProcess::errand_worker(&app.database, &keys).await;
    keep_vigil(&app, &dealer, 60_000).await;
    let short = Errand::taking(800, "write", "short");
    hand(&app, &dealer, &short, Enqueue::now()).await;
    eventually("both are under way", async || {
        in_state(&app.database, "running").await == 2
    })
    .await;

    let ended = worker.terminate().await;

    assert!(ended.success(), "{ended}: {:?}", worker.last_lines());
    assert_eq!(effects(&app.database, &schema, "short").await, 1);
    assert_eq!(effects(&app.database, &schema, "vigil").await, 0);
    let given_back = "SELECT count(*) FROM jobs.job WHERE kind = 'test.vigil' AND state = 'ready'
        AND attempt = 0 AND worker IS NULL";
    assert_eq!(count(&app.database, given_back).await, 1);
}

#[actix_web::test]
async fn the_real_worker_does_what_the_clock_asks_for() {
    let database = Scratch::with_dealers().await;
    let keys = [("TUBEX_WORKER__CHECKPOINT", "* * * * * *")];
    let mut worker = ServerProcess::worker(&database, &keys).await;
    let fired = "SELECT count(*) FROM jobs.firing WHERE name IN ('expired.purge',
        'audit.checkpoint') AND tick > now() - interval '2 hours'";

    eventually("both are fired", async || {
        count(&database, fired).await == 2
    })
    .await;
    eventually("they are done", async || {
        let told = worker.metrics().await.unwrap_or_default();
        ["expired.purge", "audit.checkpoint"].iter().all(|kind| {
            told.contains(&format!(
                "tubex_job_attempts_total{{kind=\"{kind}\",outcome=\"done\"}}"
            ))
        })
    })
    .await;

    assert!(worker.terminate().await.success());
}

#[actix_web::test]
async fn a_worker_that_may_keeps_the_spares_that_a_node_should_have() {
    let database = Scratch::with_dealers().await;
    let owner = database.owner_url();
    let (url, goal) = (owner.clone(), ["spares", "--keep", "1", "--no-fill"]);
    let said = tokio::task::spawn_blocking(move || tubex(&url, &goal, &[]));
    let said = said.await.unwrap();
    assert!(said.status.success(), "{said:?}");
    let spares = "SELECT count(*) FROM platform.tenant WHERE status = 'spare'";
    assert_eq!(count(&database, spares).await, 0);

    let keys = [
        ("TUBEX_PLATFORM__DATABASE_URL", owner.as_str()),
        ("TUBEX_WORKER__SPARES", "* * * * * *"),
    ];
    let _worker = ServerProcess::worker(&database, &keys).await;

    eventually("a spare is made", async || {
        count(&database, spares).await == 1
    })
    .await;
}

/// Hands a vigil over, which writes and then waits for so long.
async fn keep_vigil(app: &TestApp, dealer: &Dealer, ms: u64) {
    let vigil = Vigil {
        name: "vigil".to_owned(),
        ms,
    };
    let door = app.door(dealer).await;
    let handed_over = door.write(async |tx| enqueue(tx, &vigil, Enqueue::now()).await);
    tokio::time::timeout(Duration::from_secs(10), handed_over)
        .await
        .unwrap()
        .unwrap();
}
