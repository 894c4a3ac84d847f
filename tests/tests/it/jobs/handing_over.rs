//! How jobs are handed over: unique keys, delays, priorities.

use std::time::Duration;

use server::jobs::Enqueue;
use tests::errands::{Begun, Errand, registry};
use tests::{TestApp, eventually};

use super::{TestWorker, count, hand, in_state, unfinished};

const NO_TIME: Duration = Duration::ZERO;
const HOUR: Duration = Duration::from_secs(3600);

#[actix_web::test]
async fn a_key_is_held_while_its_job_is_to_be_done_and_within_its_window() {
    let app = TestApp::start().await;
    let (dealer, other) = (app.dealer().await, app.dealer().await);
    let errand = Errand::new("nothing", "x");
    let short = || Enqueue::now().unique("short", NO_TIME);
    let long = || Enqueue::now().unique("long", HOUR);

    let first = hand(&app, &dealer, &errand, short()).await;
    assert_eq!(hand(&app, &dealer, &errand, short()).await, first);
    let windowed = hand(&app, &dealer, &errand, long()).await;
    assert_ne!(hand(&app, &other, &errand, short()).await, first);
    let _worker = TestWorker::start(&app, registry(&Begun::default()));
    eventually("all are done", async || {
        unfinished(&app.database).await == 0
    })
    .await;

    assert_ne!(hand(&app, &dealer, &errand, short()).await, first);
    assert_eq!(hand(&app, &dealer, &errand, long()).await, windowed);
    app.sql("UPDATE jobs.unique_key SET held_until = now() WHERE key = 'long'")
        .await;
    assert_ne!(hand(&app, &dealer, &errand, long()).await, windowed);
}

#[actix_web::test]
async fn of_many_at_once_with_one_key_one_is_there() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let errand = Errand::new("nothing", "x");

    let at_once = (0..12).map(|_| hand(&app, &dealer, &errand, Enqueue::now().unique("k", HOUR)));
    let mut ids = futures_util::future::join_all(at_once).await;

    ids.dedup();
    assert_eq!(ids.len(), 1, "{ids:?}");
    assert_eq!(in_state(&app.database, "ready").await, 1);
}

#[actix_web::test]
async fn what_is_for_later_is_not_begun_before_its_time() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let begun = Begun::default();
    let later = hand(
        &app,
        &dealer,
        &Errand::new("nothing", "later"),
        Enqueue::after(HOUR),
    )
    .await;
    let _worker = TestWorker::start(&app, registry(&begun));

    let now = Errand::new("nothing", "now");
    hand(&app, &dealer, &now, Enqueue::now()).await;
    eventually("the other is done", async || {
        unfinished(&app.database).await == 1
    })
    .await;
    assert_eq!(begun.lock().unwrap().get("later"), None);

    let due = format!("UPDATE jobs.job SET run_at = now() WHERE id = '{later}'");
    app.sql(&due).await;
    eventually("its time has come", async || {
        unfinished(&app.database).await == 0
    })
    .await;
    assert_eq!(begun.lock().unwrap().get("later"), Some(&1));
}

#[actix_web::test]
async fn of_one_dealers_jobs_the_more_urgent_are_begun_first() {
    let keys = [("TUBEX_JOBS__QUICK_SLOTS", "1")];
    let app = TestApp::start_with(&keys).await;
    let dealer = app.dealer().await;
    for priority in [9, 5, 0, 7] {
        let kept = "UPDATE jobs.job SET keep_seconds = 3600";
        let errand = Errand::new("nothing", &priority.to_string());
        hand(&app, &dealer, &errand, Enqueue::now().priority(priority)).await;
        app.sql(kept).await;
    }

    let _worker = TestWorker::start(&app, registry(&Begun::default()));

    eventually("all are done", async || {
        in_state(&app.database, "done").await == 4
    })
    .await;
    let in_order = "SELECT count(*) FROM (SELECT priority,
            lag(priority) OVER (ORDER BY started_at) AS before FROM jobs.job) j
        WHERE before > priority";
    assert_eq!(count(&app.database, in_order).await, 0);
}
