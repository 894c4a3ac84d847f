//! What workers depend on goes away and comes back.

use tests::errands::{Begun, registry};
use tests::local::Redis;
use tests::local::account::Account;
use tests::local::place::ThrowAway;
use tests::local::postgres::Stopping;
use tests::{Scratch, ServerProcess, TestApp, eventually};

use super::{TestWorker, count, fill_queue, hand_over, make_effects, unfinished};

const ERRANDS: u32 = 400;

#[actix_web::test]
async fn a_postgres_that_is_restarted_under_workers_costs_no_job_and_doubles_none() {
    let (_folder, mut postgres, database) = Scratch::on_its_own_postgres().await;
    database.settle(&["acme"], 3).await;
    let schema = database.schema_of("acme").await;
    make_effects(&database, &schema).await;
    fill_queue(&database, &schema, "write", ERRANDS).await;
    let keys = [
        ("TUBEX_JOBS__LEASE_MS", "1000"),
        ("TUBEX_JOBS__TENANT_QUICK", "2"),
    ];
    let worker = ServerProcess::errand_worker(&database, &keys).await;
    let effects = format!("SELECT count(*) FROM {schema}.errand_effect");

    for (stopping, at_least) in [(Stopping::Fast, 10), (Stopping::Immediate, 50)] {
        eventually("there is work under way", async || {
            count(&database, &effects).await >= at_least
        })
        .await;
        let restarting = tokio::task::spawn_blocking(move || {
            postgres.restart(stopping).unwrap();
            postgres
        });
        postgres = restarting.await.unwrap();
    }

    for at_least in [150, 250, 350] {
        eventually("work goes on", async || {
            count(&database, &effects).await >= at_least
        })
        .await;
    }
    eventually("nothing is left", async || unfinished(&database).await == 0).await;
    let distinct = format!("SELECT count(DISTINCT name) FROM {schema}.errand_effect");
    let all = i64::from(ERRANDS);
    assert_eq!(count(&database, &effects).await, all);
    assert_eq!(count(&database, &distinct).await, all);
    drop(worker);
    drop(database);
    postgres.stop().unwrap();
}

#[actix_web::test]
async fn jobs_are_handed_over_and_done_without_redis() {
    let account = Account::detect().unwrap();
    let folder = ThrowAway::create(&account).unwrap();
    let redis = Redis::start(&folder.path().join("redis")).unwrap();
    let app = TestApp::start_with(&[("TUBEX_REDIS__URL", &redis.url())]).await;
    let dealer = app.dealer().await;
    let begun = Begun::default();
    let _worker = TestWorker::start(&app, registry(&begun));
    hand_over(&app, &dealer, "nothing", "with").await;

    redis.stop().unwrap();
    hand_over(&app, &dealer, "nothing", "without").await;

    eventually("both are done", async || {
        unfinished(&app.database).await == 0
    })
    .await;
    assert_eq!(begun.lock().unwrap().len(), 2);
}
