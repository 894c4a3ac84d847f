//! Jobs that die: who is told, and what becomes of what waited for them.

mod engine;
mod imports;
mod others;

use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use tests::{Actor, Dealer, TestApp, eventually};

/// Lets nobody begin jobs of a kind.
async fn pause(app: &TestApp, kind: &str) {
    let sql = format!("INSERT INTO jobs.pause VALUES ('*', '{kind}', 'for a moment', now())");
    app.sql(&sql).await;
}

async fn resume(app: &TestApp, kind: &str) {
    app.sql(&format!("DELETE FROM jobs.pause WHERE kind = '{kind}'"))
        .await;
}

/// What waits of a kind that is paused is what nobody can do, and is begun.
async fn let_it_be_refused(app: &TestApp, kind: &str) {
    let sql = format!("UPDATE jobs.job SET version = 0 WHERE kind = '{kind}'");
    app.sql(&sql).await;
    resume(app, kind).await;
}

/// What waits of a kind that is paused has taken all its workers with it.
async fn let_it_be_lost(app: &TestApp, kind: &str) {
    let sql = format!(
        "UPDATE jobs.job SET state = 'running', attempt = max_attempts, fence = fence + 1,
             worker = gen_random_uuid(), lease_until = clock_timestamp() - interval '1 second'
         WHERE kind = '{kind}'"
    );
    app.sql(&sql).await;
    resume(app, kind).await;
}

/// The dead letters of a kind can be done after all, and somebody has them tried again.
async fn retry(app: &TestApp, who: &Actor, kind: &str) {
    let sql = format!("UPDATE jobs.job SET version = 1 WHERE kind = '{kind}'");
    app.sql(&sql).await;
    let changed = who.post("/jobs/retry", json!({"kind": kind})).await;
    assert_eq!(changed.expect(200).json["changed"], 1);
}

/// Nothing is left to do.
async fn all_is_quiet(app: &TestApp) {
    eventually("nothing is left to do", async || {
        crate::jobs::unfinished(&app.database).await == 0
    })
    .await;
}

/// What followers were told of a kind, oldest first.
async fn events(app: &TestApp, dealer: &Dealer, kind: &str) -> Vec<Value> {
    let schema = app.database.schema_of(&dealer.slug).await;
    let sql = format!("SELECT data FROM {schema}.event WHERE kind = $1 ORDER BY id");
    sqlx::query_scalar(AssertSqlSafe(sql))
        .bind(kind)
        .fetch_all(&mut app.database.connect().await)
        .await
        .unwrap()
}

/// What somebody finds in the app of a kind, the latest first.
async fn notices(who: &Actor, kind: &str) -> Vec<Value> {
    let list = who.get("/me/notifications").await.expect(200).json;
    let all = list["data"].as_array().unwrap().iter();
    all.filter(|it| it["kind"] == kind)
        .map(|it| it["data"].clone())
        .collect()
}
