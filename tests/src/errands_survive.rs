//! Workers that are killed again and again while there is work: what was done is counted.

use std::time::Duration;

use anyhow::{Result, bail};
use sqlx::AssertSqlSafe;

use crate::canary::Dice;
use crate::{Scratch, ServerProcess};

/// Errands that are handed over for each kill.
const EACH: u32 = 40;
/// Workers are missed after so long.
const LEASE_MS: &str = "1000";
/// Longest time a worker lives, milliseconds.
const LIFE_MS: u64 = 400;
/// How long the last errands may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// What was found in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// Errands that were handed over.
    pub handed_over: i64,
    /// Errands that left an effect.
    pub done: i64,
    /// Effects.
    pub effects: i64,
    /// Dead letters.
    pub dead: i64,
    /// Errands whose worker was killed at least once.
    pub rescued: i64,
}

impl Tally {
    /// Whether nothing was lost and nothing was done twice.
    pub fn is_exact(&self) -> bool {
        self.dead == 0 && self.done == self.handed_over && self.effects == self.handed_over
    }
}

/// Kills one of two workers so many times, at random moments, with work for both. The dealer with
/// this schema must have a table of effects.
///
/// # Errors
///
/// When the database refuses, or the last errands take for ever.
///
/// # Panics
///
/// When a worker doesn't start.
pub async fn survive(database: &Scratch, schema: &str, kills: u32, seed: u64) -> Result<Tally> {
    let keys = [
        ("TUBEX_JOBS__LEASE_MS", LEASE_MS),
        ("TUBEX_JOBS__TENANT_QUICK", "16"),
        ("TUBEX_WORKER__PURGE", "0 0 1 1 *"),
    ];
    let (mut dice, mut handed_over) = (Dice::of(seed, 0), 0);
    let mut workers = [
        ServerProcess::errand_worker(database, &keys).await,
        ServerProcess::errand_worker(database, &keys).await,
    ];
    for kill in 0..kills {
        let errands = format!(
            "INSERT INTO jobs.job (id, tenant, queue, kind, version, payload, priority, state,
                 run_at, max_attempts, keep_seconds, enqueued_at)
             SELECT gen_random_uuid(), '{schema}', 'quick', 'test.errand', 2, jsonb_build_object(
                     'does', 'write', 'name', '{kill}-' || n, 'ms', n * 7 % 60),
                 5, 'ready', clock_timestamp(), 1000, 86400, clock_timestamp()
             FROM generate_series(1, {EACH}) n"
        );
        run(database, &errands).await?;
        handed_over += i64::from(EACH);
        let life = Duration::from_millis(dice.below(LIFE_MS));
        tokio::time::sleep(life).await;
        let worker = &mut workers[usize::try_from(dice.below(2))?];
        worker.kill();
        worker.start_again().await;
    }
    wait_for_the_last(database).await?;
    let count = async |sql: String| -> Result<i64> {
        let counted = sqlx::query_scalar(AssertSqlSafe(sql));
        Ok(counted.fetch_one(&mut database.connect().await).await?)
    };
    let effects = format!("FROM {schema}.errand_effect");
    let jobs = "SELECT count(*) FROM jobs.job WHERE kind = 'test.errand' AND";
    Ok(Tally {
        handed_over,
        done: count(format!("SELECT count(DISTINCT name) {effects}")).await?,
        effects: count(format!("SELECT count(*) {effects}")).await?,
        dead: count(format!("{jobs} state = 'dead'")).await?,
        rescued: count(format!("{jobs} errors <> '[]'")).await?,
    })
}

async fn wait_for_the_last(database: &Scratch) -> Result<()> {
    let sql = "SELECT count(*) FROM jobs.job WHERE state NOT IN ('done', 'dead')";
    let all = async {
        let mut connection = database.connect().await;
        loop {
            let left: i64 = sqlx::query_scalar(sql).fetch_one(&mut connection).await?;
            if left == 0 {
                return anyhow::Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    match tokio::time::timeout(PATIENCE, all).await {
        Ok(done) => done,
        Err(_) => bail!("some errands were not done within {PATIENCE:?}"),
    }
}

async fn run(database: &Scratch, sql: &str) -> Result<()> {
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(&mut database.connect().await)
        .await?;
    Ok(())
}
