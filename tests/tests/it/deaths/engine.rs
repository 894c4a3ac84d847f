//! Deaths as such, shown with errands.

use serde_json::{Value, json};
use server::jobs::Enqueue;
use tests::errands::{Begun, Errand, registry};
use tests::{Dealer, ServerProcess, TestApp, eventually};

use super::{all_is_quiet, events, let_it_be_lost, notices, pause, resume};
use crate::jobs::{
    TestWorker, count, effects, hand, hand_over, in_state, make_effects, unfinished,
};

const FOLLOWERS: &str = "SELECT count(*) FROM jobs.job WHERE kind = 'job.aftermath'";

#[actix_web::test]
async fn a_death_is_told_to_followers_and_once_an_hour_to_who_may_have_it_tried_again() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let viewer = app.member(&dealer, "viewer").await;
    let _worker = TestWorker::start(&app, registry(&Begun::default()));

    let first = hand_over(&app, &dealer, "panic", "x").await;
    all_is_quiet(&app).await;
    hand_over(&app, &dealer, "refuse", "y").await;
    all_is_quiet(&app).await;

    let told = events(&app, &dealer, "job.dead").await;
    assert_eq!(
        told[0],
        json!({"id": first, "kind": "test.errand", "attempts": 3})
    );
    assert_eq!((told.len(), &told[1]["attempts"]), (2, &json!(1)));
    let of_the_first = json!({"id": first, "name": "test.errand"});
    assert_eq!(notices(&dealer, "job.dead").await, [of_the_first]);
    assert_eq!(notices(&viewer, "job.dead").await, Vec::<Value>::new());

    app.advance(time::Duration::minutes(61));
    hand_over(&app, &dealer, "refuse", "z").await;
    all_is_quiet(&app).await;
    let dealer = app.enter(&dealer.slug).await;
    assert_eq!(notices(&dealer, "job.dead").await.len(), 2);
}

#[actix_web::test]
async fn a_worker_that_is_killed_between_a_death_and_what_follows_loses_nothing() {
    let (app, dealer, schema) = dealer_with_effects().await;
    pause(&app, "job.aftermath").await;
    let mut worker = ServerProcess::errand_worker(&app.database, &[]).await;
    hand_over(&app, &dealer, "refuse", "mourned").await;
    eventually("it is dead", async || {
        in_state(&app.database, "dead").await == 1
    })
    .await;

    worker.kill();

    assert_eq!(count(&app.database, FOLLOWERS).await, 1);
    assert_eq!(effects(&app.database, &schema, "mourned").await, 0);
    resume(&app, "job.aftermath").await;
    worker.start_again().await;
    all_is_quiet(&app).await;
    assert_eq!(effects(&app.database, &schema, "mourned").await, 1);
    assert_eq!(events(&app, &dealer, "job.dead").await.len(), 1);
}

#[actix_web::test]
async fn a_job_that_took_its_workers_with_it_is_mourned_like_any_other() {
    let (app, dealer, schema) = dealer_with_effects().await;
    pause(&app, "test.errand").await;
    hand_over(&app, &dealer, "write", "mourned").await;

    let_it_be_lost(&app, "test.errand").await;
    let _worker = TestWorker::start(&app, registry(&Begun::default()));

    eventually("what is left is done", async || {
        effects(&app.database, &schema, "mourned").await == 1
    })
    .await;
    assert_eq!(in_state(&app.database, "dead").await, 1);
    assert_eq!(events(&app, &dealer, "job.dead").await[0]["attempts"], 3);
}

#[actix_web::test]
async fn nothing_follows_the_death_of_what_follows_a_death_nor_one_of_the_platforms() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    hand_over(&app, &dealer, "refuse", "cursed").await;
    let errand = Errand::new("refuse", "ours");
    hand(&app, &dealer, &errand, Enqueue::now()).await;
    app.sql("UPDATE jobs.job SET tenant = '' WHERE payload ->> 'name' = 'ours'")
        .await;

    let _worker = TestWorker::start(&app, registry(&Begun::default()));

    eventually("three are dead", async || {
        in_state(&app.database, "dead").await == 3 && unfinished(&app.database).await == 0
    })
    .await;
    assert_eq!(count(&app.database, FOLLOWERS).await, 1);
    assert_eq!(events(&app, &dealer, "job.dead").await, Vec::<Value>::new());
}

#[actix_web::test]
async fn what_is_tried_again_in_time_is_mourned_when_it_dies_again_and_once() {
    let (app, dealer, schema) = dealer_with_effects().await;
    pause(&app, "job.aftermath").await;
    let _worker = TestWorker::start(&app, registry(&Begun::default()));
    let id = hand_over(&app, &dealer, "refuse", "mourned").await;
    let died = async |times: u32| {
        let sql =
            format!("SELECT count(*) FROM jobs.job WHERE state = 'dead' AND attempt = {times}");
        eventually("it is dead", async || count(&app.database, &sql).await == 1).await;
    };

    died(1).await;
    dealer
        .post(&format!("/jobs/{id}/retry"), json!({}))
        .await
        .expect(200);
    died(2).await;
    assert_eq!(count(&app.database, FOLLOWERS).await, 2);
    resume(&app, "job.aftermath").await;
    all_is_quiet(&app).await;

    assert_eq!(effects(&app.database, &schema, "mourned").await, 1);
    assert_eq!(events(&app, &dealer, "job.dead").await.len(), 1);
}

#[actix_web::test]
async fn what_waited_for_a_dead_letter_is_ended_even_if_that_was_discarded() {
    let (app, dealer, schema) = dealer_with_effects().await;
    pause(&app, "job.aftermath").await;
    let _worker = TestWorker::start(&app, registry(&Begun::default()));
    let id = hand_over(&app, &dealer, "refuse", "mourned").await;
    eventually("it is dead", async || {
        in_state(&app.database, "dead").await == 1
    })
    .await;

    let path = format!("/jobs/{id}/discard");
    dealer.post(&path, json!({})).await.expect(204);
    resume(&app, "job.aftermath").await;
    all_is_quiet(&app).await;

    assert_eq!(effects(&app.database, &schema, "mourned").await, 1);
    assert_eq!(notices(&dealer, "job.dead").await, Vec::<Value>::new());
}

/// A dealer, and a table for what its errands do.
async fn dealer_with_effects() -> (TestApp, Dealer, String) {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let schema = app.database.schema_of(&dealer.slug).await;
    make_effects(&app.database, &schema).await;
    (app, dealer, schema)
}
