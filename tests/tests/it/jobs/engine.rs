//! The engine: what is handed over is done, once, by whoever holds it, or becomes a dead letter.

use sea_orm::DbErr;
use server::jobs::{Enqueue, enqueue};
use tests::{Dealer, TestApp, eventually};

use super::{Begun, Errand, TestWorker, hand_over, registry};

async fn count(app: &TestApp, state: &str) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM jobs.job WHERE state = $1")
        .bind(state)
        .fetch_one(&mut app.database.connect().await)
        .await
        .unwrap()
}

async fn units(app: &TestApp, dealer: &Dealer, code: &str) -> i64 {
    let schema = app.database.schema_of(&dealer.slug).await;
    let sql = format!("SELECT count(*) FROM {schema}.unit WHERE code = $1");
    sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
        .bind(code)
        .fetch_one(&mut app.database.connect().await)
        .await
        .unwrap()
}

#[actix_web::test]
async fn what_a_transaction_handed_over_is_done_if_it_commits_and_not_otherwise() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let begun = Begun::default();
    let _worker = TestWorker::start(&app, registry(&begun));
    let undone = Errand {
        does: "write".to_owned(),
        name: "never".to_owned(),
    };

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
    eventually("the job is done", async || {
        units(&app, &dealer, "once").await == 1
    })
    .await;
    eventually("nothing is left", async || {
        count(&app, "ready").await + count(&app, "running").await == 0
    })
    .await;
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

    eventually("four are dead", async || count(&app, "dead").await == 4).await;
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
