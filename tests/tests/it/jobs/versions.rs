//! Workers of several builds on one table: kinds they don't know, payloads of other versions.

use server::jobs::Enqueue;
use tests::errands::{Begun, Errand, registry};
use tests::{TestApp, eventually};

use super::{TestWorker, count, hand, hand_over, in_state, unfinished};

#[actix_web::test]
async fn an_unknown_kind_is_left_to_others_for_a_while_and_then_a_dead_letter() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let errand = Errand::new("nothing", "x");
    hand(&app, &dealer, &errand, Enqueue::now().attempts(2)).await;
    app.sql("UPDATE jobs.job SET kind = 'of.tomorrow'").await;
    let _worker = TestWorker::start(&app, registry(&Begun::default()));

    eventually("it waits", async || {
        in_state(&app.database, "scheduled").await == 1
    })
    .await;
    app.sql("UPDATE jobs.job SET run_at = now()").await;

    eventually("it is dead", async || {
        in_state(&app.database, "dead").await == 1
    })
    .await;
    let says_why = "SELECT count(*) FROM jobs.job WHERE jsonb_array_length(errors) = 2
        AND errors -> 1 ->> 'error' = 'no worker of this build can do \"of.tomorrow\"'";
    assert_eq!(count(&app.database, says_why).await, 1);
}

#[actix_web::test]
async fn what_an_older_build_handed_over_is_upgraded_or_refused() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let begun = Begun::default();
    for name in ["old", "ancient", "broken"] {
        hand_over(&app, &dealer, "nothing", name).await;
    }
    app.sql(
        "UPDATE jobs.job SET version = 1, payload = '{\"task\": \"nothing\", \"name\": \"old\"}'
             WHERE payload ->> 'name' = 'old';
         UPDATE jobs.job SET version = 0 WHERE payload ->> 'name' = 'ancient';
         UPDATE jobs.job SET payload = '[]' WHERE payload ->> 'name' = 'broken'",
    )
    .await;

    let _worker = TestWorker::start(&app, registry(&begun));

    eventually("none is left", async || {
        unfinished(&app.database).await == 0
    })
    .await;
    assert_eq!(
        begun.lock().unwrap().clone(),
        [("old".to_owned(), 1)].into()
    );
    let at_once = "SELECT count(*) FROM jobs.job WHERE state = 'dead' AND attempt = 1";
    assert_eq!(count(&app.database, at_once).await, 2);
}

#[actix_web::test]
async fn what_a_newer_build_handed_over_waits_for_it_and_loses_no_attempt() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    hand_over(&app, &dealer, "nothing", "new").await;
    app.sql("UPDATE jobs.job SET version = 3").await;

    let _worker = TestWorker::start(&app, registry(&Begun::default()));

    let waits = "SELECT count(*) FROM jobs.job
        WHERE state = 'scheduled' AND attempt = 0 AND fence = 1 AND errors = '[]'";
    eventually("it waits", async || count(&app.database, waits).await == 1).await;
}
