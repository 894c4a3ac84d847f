//! The engine: what is handed over is done, once, by whoever holds it, or becomes a dead letter.

use sea_orm::DbErr;
use server::jobs::{Enqueue, enqueue};
use tests::errands::{Begun, Errand, Vigil, registry};
use tests::{TestApp, eventually};

use super::{TestWorker, count, effects, hand_over, in_state, make_effects, unfinished};

#[actix_web::test]
async fn what_a_transaction_handed_over_is_done_if_it_commits_and_not_otherwise() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let schema = app.database.schema_of(&dealer.slug).await;
    make_effects(&app.database, &schema).await;
    let begun = Begun::default();
    let _worker = TestWorker::start(&app, registry(&begun));
    let undone = Errand::new("write", "never");

    let refused: Result<(), DbErr> = app
        .door(&dealer)
        .await
        .write(async |tx| {
            enqueue(tx, &undone, Enqueue::now()).await?;
            Err(DbErr::Custom("changed my mind".to_owned()))
        })
        .await;
    hand_over(&app, &dealer, "write", "once").await;

    assert!(refused.is_err());
    eventually("nothing is left to do", async || {
        unfinished(&app.database).await == 0
    })
    .await;
    assert_eq!(effects(&app.database, &schema, "once").await, 1);
    assert_eq!(begun.lock().unwrap().get("never"), None);
    assert_eq!(begun.lock().unwrap().get("once"), Some(&1));
}

#[actix_web::test]
async fn what_fails_is_tried_again_and_then_a_dead_letter_with_all_its_errors() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let begun = Begun::default();
    let _worker = TestWorker::start(&app, registry(&begun));

    for does in ["fail", "refuse", "panic", "hang", "nothing"] {
        hand_over(&app, &dealer, does, does).await;
    }

    eventually("four are dead", async || {
        in_state(&app.database, "dead").await == 4
    })
    .await;
    let begun = begun.lock().unwrap().clone();
    let times = |name: &str| begun.get(name).copied();
    assert_eq!(
        ["fail", "refuse", "panic", "hang", "nothing"].map(times),
        [Some(3), Some(1), Some(3), Some(3), Some(1)]
    );
    let errors: Vec<String> = sqlx::query_scalar(
        "SELECT error ->> 'error' FROM jobs.job, jsonb_array_elements(errors) AS error
         WHERE payload ->> 'does' = 'panic'",
    )
    .fetch_all(&mut app.database.connect().await)
    .await
    .unwrap();
    assert_eq!(errors, ["it panicked: it was told to"; 3]);
}

/// The proof that it is still ours goes with the commit, and so does its refusal.
#[actix_web::test]
async fn whoever_lost_a_job_meanwhile_commits_nothing_and_knows_why() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let schema = app.database.schema_of(&dealer.slug).await;
    make_effects(&app.database, &schema).await;
    let worker = TestWorker::start(&app, registry(&Begun::default()));
    let vigil = Vigil {
        name: "vigil".to_owned(),
        ms: 1000,
    };
    let door = app.door(&dealer).await;
    let handed_over = door.write(async |tx| enqueue(tx, &vigil, Enqueue::now()).await);
    handed_over.await.unwrap();
    eventually("it is under way", async || {
        in_state(&app.database, "running").await == 1
    })
    .await;

    app.sql("UPDATE jobs.job SET fence = fence + 1").await;

    eventually("its attempt was lost", async || {
        let kinds = worker.stats.kinds();
        let of_vigils = kinds.iter().find(|(kind, _)| *kind == "test.vigil");
        of_vigils.is_some_and(|(_, stats)| {
            let mut ended = stats.ended.iter();
            ended.any(|(how, times)| how.as_str() == "lost" && *times == 1)
        })
    })
    .await;
    assert_eq!(effects(&app.database, &schema, "vigil").await, 0);
    assert_eq!(in_state(&app.database, "running").await, 1);
}

#[actix_web::test]
async fn whoever_refuses_may_say_when_to_come_again() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let _worker = TestWorker::start(&app, registry(&Begun::default()));

    hand_over(&app, &dealer, "come later", "x").await;

    let waits = "SELECT count(*) FROM jobs.job WHERE state = 'scheduled' AND attempt = 1
        AND run_at BETWEEN now() + interval '59 minutes' AND now() + interval '61 minutes'";
    eventually("it waits for an hour", async || {
        count(&app.database, waits).await == 1
    })
    .await;
}

#[actix_web::test]
async fn what_was_done_is_counted_by_kind_and_outcome_and_what_waits_by_queue() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let worker = TestWorker::start(&app, registry(&Begun::default()));

    hand_over(&app, &dealer, "nothing", "x").await;
    hand_over(&app, &dealer, "refuse", "y").await;

    eventually("both are counted", async || {
        let kinds = worker.stats.kinds();
        kinds.iter().any(|(kind, stats)| {
            let ended = stats
                .ended
                .iter()
                .map(|(how, times)| (how.as_str(), *times));
            *kind == "test.errand" && ended.eq([("done", 1), ("dead", 1)]) && stats.busy.count == 2
        })
    })
    .await;
    eventually("the dead letter is seen", async || {
        let nodes = worker.stats.depths();
        let mut depths = nodes.values().flatten();
        depths.any(|depth| depth.queue == "quick" && depth.state == "dead" && depth.jobs == 1)
    })
    .await;
}
