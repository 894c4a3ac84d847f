//! Tenants take turns: bounds over all workers, no waiting behind a loud one, pauses.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use server::jobs::Enqueue;
use tests::errands::{Begun, Errand, registry};
use tests::{TestApp, eventually};

use super::{TestWorker, count, fill_queue, hand, hand_over, in_state, unfinished};

const RUNNING: &str = "SELECT count(*) FROM jobs.job WHERE state = 'running' AND tenant = ";

#[actix_web::test]
async fn a_dealer_has_no_more_jobs_under_way_than_its_bound_with_all_workers() {
    // Neither worker alone could have three.
    let slots = ("TUBEX_JOBS__QUICK_SLOTS", "2");
    let app = TestApp::start_with(&[("TUBEX_JOBS__TENANT_QUICK", "3"), slots]).await;
    let dealer = app.dealer().await;
    let schema = app.database.schema_of(&dealer.slug).await;
    for number in 0..40 {
        let errand = Errand::taking(40, "nothing", &number.to_string());
        hand(&app, &dealer, &errand, Enqueue::now()).await;
    }
    let (database, is_over) = (app.database.clone(), Arc::new(AtomicBool::new(false)));
    let running = format!("{RUNNING}'{schema}'");
    let watching = {
        let is_over = is_over.clone();
        tokio::spawn(async move {
            let (mut most, mut connection) = (0, database.connect().await);
            while !is_over.load(Ordering::Relaxed) {
                let now: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(running.as_str()))
                    .fetch_one(&mut connection)
                    .await
                    .unwrap();
                most = most.max(now);
            }
            most
        })
    };

    let workers = [(); 2].map(|()| TestWorker::start(&app, registry(&Begun::default())));
    eventually("all are done", async || {
        unfinished(&app.database).await == 0
    })
    .await;

    is_over.store(true, Ordering::Relaxed);
    assert_eq!(watching.await.unwrap(), 3);
    for worker in &workers {
        assert!(!worker.stats.kinds().is_empty(), "one did all");
    }
}

#[actix_web::test]
async fn the_first_job_of_a_quiet_dealer_does_not_wait_behind_thousands_of_a_loud_one() {
    let app = TestApp::start().await;
    let (loud, quiet) = (app.dealer().await, app.dealer().await);
    let schema = app.database.schema_of(&loud.slug).await;
    fill_queue(&app.database, &schema, "nothing", 20_000).await;
    let begun = Begun::default();
    let _worker = TestWorker::start(&app, registry(&begun));
    eventually("the loud one's are under way", async || {
        begun.lock().unwrap().len() > 10
    })
    .await;

    let handed_over = Instant::now();
    hand_over(&app, &quiet, "nothing", "quiet").await;
    eventually("it is begun", async || {
        begun.lock().unwrap().contains_key("quiet")
    })
    .await;

    assert!(handed_over.elapsed() < Duration::from_secs(2));
    let left = unfinished(&app.database).await;
    assert!(left > 1000, "only {left} were left: nothing was shown");
}

#[actix_web::test]
async fn what_is_paused_is_not_begun_until_it_may_go_on() {
    let app = TestApp::start().await;
    let (dealer, other) = (app.dealer().await, app.dealer().await);
    let schema = app.database.schema_of(&dealer.slug).await;
    let begun = Begun::default();
    let has_begun = |name: &str| begun.lock().unwrap().contains_key(name);
    let pause = async |tenant: &str, kind: &str| {
        app.sql(&format!(
            "DELETE FROM jobs.pause;
             INSERT INTO jobs.pause VALUES ('{tenant}', '{kind}', 'a test', now())"
        ))
        .await;
    };
    let _worker = TestWorker::start(&app, registry(&begun));

    pause(&schema, "*").await;
    hand_over(&app, &dealer, "nothing", "of the tenant").await;
    hand_over(&app, &other, "nothing", "of another").await;
    eventually("the other's is done", async || has_begun("of another")).await;
    eventually("it is out of the way", async || {
        in_state(&app.database, "held").await == 1
    })
    .await;
    pause("*", "test.errand").await;
    hand_over(&app, &other, "nothing", "of the kind").await;
    eventually("both are out of the way", async || {
        in_state(&app.database, "held").await == 2
    })
    .await;
    assert!(!has_begun("of the tenant") && !has_begun("of the kind"));

    app.sql("DELETE FROM jobs.pause").await;
    eventually("they went on", async || {
        unfinished(&app.database).await == 0
    })
    .await;
    assert!(has_begun("of the tenant") && has_begun("of the kind"));
    assert_eq!(
        count(&app.database, "SELECT count(*) FROM jobs.job").await,
        0
    );
}
