//! Background work: handed over in a dealer's transaction, done by workers.

mod api;
mod dead_rows;
mod engine;
mod handing_over;
mod operators;
mod outages;
mod processes;
mod schedules;
mod turns;
mod versions;
mod walls;

use std::sync::Arc;

use server::AppState;
use server::jobs::{Enqueue, Registry, Stats, Worker, enqueue};
use sqlx::PgConnection;
use tests::errands::{EFFECTS, Errand};
use tests::{Dealer, Scratch, TestApp};
use uuid::Uuid;

/// A worker within this process, stopped when dropped.
#[derive(Debug)]
pub struct TestWorker {
    worker: Worker<AppState>,
    pub stats: Arc<Stats>,
}

impl TestWorker {
    /// Begins to work.
    pub fn start(app: &TestApp, registry: Registry<AppState>) -> Self {
        let config = &app.state.config.jobs;
        let (directory, stats) = (app.state.directory.clone(), Arc::new(Stats::default()));
        let worker = Worker::new(
            app.state.clone(),
            directory,
            registry,
            config,
            stats.clone(),
        );
        let working = worker.clone();
        tokio::spawn(async move { working.run().await });
        Self { worker, stats }
    }
}

impl Drop for TestWorker {
    fn drop(&mut self) {
        self.worker.stop();
    }
}

/// Hands an errand over for a dealer.
pub async fn hand_over(app: &TestApp, dealer: &Dealer, does: &str, name: &str) -> Uuid {
    hand(app, dealer, &Errand::new(does, name), Enqueue::now()).await
}

/// The same, with more to say.
pub async fn hand(app: &TestApp, dealer: &Dealer, errand: &Errand, how: Enqueue) -> Uuid {
    app.door(dealer)
        .await
        .write(async |tx| enqueue(tx, errand, how.clone()).await)
        .await
        .unwrap()
}

/// Makes the place where a dealer's errands leave their effects.
pub async fn make_effects(database: &Scratch, schema: &str) {
    let sql =
        format!("SET search_path = {schema}; {EFFECTS}; GRANT INSERT ON errand_effect TO {schema}");
    run(&mut database.connect().await, &sql).await;
}

/// How often an errand has left its effect.
pub async fn effects(database: &Scratch, schema: &str, name: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM {schema}.errand_effect WHERE name = $1");
    sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
        .bind(name)
        .fetch_one(&mut database.connect().await)
        .await
        .unwrap()
}

/// What a query counts, as the database's owner.
pub async fn count(database: &Scratch, sql: &str) -> i64 {
    let counted = sqlx::query_scalar(sqlx::AssertSqlSafe(sql));
    counted
        .fetch_one(&mut database.connect().await)
        .await
        .unwrap()
}

/// How many jobs are in a state.
pub async fn in_state(database: &Scratch, state: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM jobs.job WHERE state = '{state}'");
    count(database, &sql).await
}

/// How many jobs are not over.
pub async fn unfinished(database: &Scratch) -> i64 {
    count(
        database,
        "SELECT count(*) FROM jobs.job WHERE state NOT IN ('done', 'dead')",
    )
    .await
}

pub async fn run(connection: &mut PgConnection, sql: &str) {
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
        .execute(connection)
        .await
        .unwrap();
}

/// As many errands as one likes, straight into the table.
pub async fn fill_queue(database: &Scratch, schema: &str, does: &str, number: u32) {
    let sql = format!(
        "INSERT INTO jobs.job (id, tenant, queue, kind, version, payload, priority, state, run_at,
             max_attempts, enqueued_at)
         SELECT gen_random_uuid(), '{schema}', 'quick', 'test.errand', 2,
             jsonb_build_object('does', '{does}', 'name', '{schema} ' || n, 'ms', 0), 5, 'ready',
             clock_timestamp(), 3, clock_timestamp()
         FROM generate_series(1, {number}) n"
    );
    run(&mut database.connect().await, &sql).await;
}
