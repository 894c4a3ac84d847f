//! A worker that is killed while it applies a file.

use std::time::Duration;

use serde_json::Value;
use tests::{Dealer, Scratch, ServerProcess, TestApp, within};

/// Rows of the file: enough for a dozen steps.
const ROWS: usize = 24_000;
/// A busy machine takes its time.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often the worker is killed.
const KILLS: usize = 6;

fn file(price: &str) -> String {
    let rows = (0..ROWS).map(|n| format!("S{n:05};row {n};m;{price};g{}\n", n % 40));
    format!("sku;name;unit;price;group\n{}", rows.collect::<String>())
}

/// The sum of versions, how many items there are, and how many of them are in the journal.
async fn tally(app: &TestApp, dealer: &Dealer, import: &str) -> (i64, i64, i64) {
    let schema = app.database.schema_of(&dealer.slug).await;
    let sql = format!(
        "SELECT (SELECT sum(version)::bigint FROM {schema}.item),
            (SELECT count(*) FROM {schema}.item),
            (SELECT count(*) FROM {schema}.import_change WHERE import_id = '{import}')"
    );
    sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .fetch_one(&mut app.database.connect().await)
        .await
        .unwrap()
}

/// What a killed worker had is free once its lease is over; the test doesn't wait for that.
async fn free_the_job(app: &TestApp) {
    app.sql(
        "UPDATE jobs.job SET lease_until = now() - interval '1 second' WHERE state = 'running'",
    )
    .await;
    app.sql("UPDATE jobs.job SET run_at = now() WHERE state IN ('ready', 'scheduled')")
        .await;
}

#[actix_web::test]
async fn a_worker_that_is_killed_again_and_again_does_no_row_twice_and_forgets_none() {
    let database = Scratch::with_dealers().await;
    let app = TestApp::start_on(database, &[]).await;
    let dealer = app.dealer().await;
    let done = async |id: &str| -> (String, i64) {
        let import = dealer.get(&format!("/imports/{id}")).await.expect(200).json;
        let status = import["status"].as_str().unwrap().to_owned();
        let counts: &Value = &import["counts"];
        let rows = ["created", "updated"].map(|name| counts[name].as_i64().unwrap_or_default());
        (status, rows[0] + rows[1])
    };
    let mut kills = 0;

    for (round, price) in ["1,50", "2,50"].into_iter().enumerate() {
        let sent = dealer
            .send_file("apply=true", file(price))
            .await
            .expect(202);
        let id = sent.json["id"].as_str().unwrap().to_owned();
        let mut reached = 0;
        for _ in 0..KILLS / 2 {
            let mut worker = ServerProcess::worker(&app.database, &[]).await;
            within(PATIENCE, "some more rows are written", async || {
                let (status, rows) = done(&id).await;
                assert_ne!(status, "failed");
                status == "applied" || (status == "applying" && rows > reached)
            })
            .await;
            worker.kill();
            (_, reached) = done(&id).await;
            kills += usize::from(done(&id).await.0 == "applying");
            free_the_job(&app).await;
        }
        let _worker = ServerProcess::worker(&app.database, &[]).await;
        within(PATIENCE, "the rest is done", async || {
            done(&id).await.0 == "applied"
        })
        .await;

        let rows = i64::try_from(ROWS).unwrap();
        let version = i64::try_from(round).unwrap() + 1;
        assert_eq!(
            tally(&app, &dealer, &id).await,
            (rows * version, rows, rows)
        );
        assert_eq!(done(&id).await.1, rows);
    }
    assert!(kills >= KILLS - 1, "{kills} hit it at work");
}
