//! Background work: how many jobs, what handing one over costs, who waits for whom.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};
use server::audit::{Actor, Change, Stamp};
use server::config::Config;
use server::db::{Address, Directory, Found, PlatformDb, TenantDb, TenantTx};
use server::events;
use server::jobs::{Enqueue, enqueue};
use sqlx::{AssertSqlSafe, PgConnection};
use tests::errands::Errand;
use tests::{Scratch, ServerProcess};
use time::OffsetDateTime;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::sample::Sample;
use super::table::{Table, Target};
use super::{Scale, is_quick};

/// Dealers whose jobs they are.
const SLUGS: [&str; 2] = ["acme", "bolt"];
const PATIENCE: Duration = Duration::from_secs(300);
/// One job, as the floor has it: one statement to write it, one to remove it.
const INSERT: &str = "INSERT INTO bench_job (id, tenant, queue, kind, version, payload, priority,
        state, run_at, max_attempts, enqueued_at)
    VALUES ($1, 'acme', 'quick', 'test.errand', 2, '{\"does\": \"nothing\", \"name\": \"x\"}', 5,
        'ready', clock_timestamp(), 3, clock_timestamp())";
const DELETE: &str = "DELETE FROM bench_job WHERE id = $1";

/// Adds the rows of background work, on a database of their own.
///
/// # Errors
///
/// When the database refuses or jobs are not done.
pub async fn measure(table: &mut Table, scale: Scale) -> Result<()> {
    let database = Scratch::with_dealers().await;
    let doors = Doors::open(&database).await?;
    handing_over(table, &database, &doors, scale).await?;
    let keys = [
        ("TUBEX_JOBS__QUICK_SLOTS", "256"),
        ("TUBEX_JOBS__TENANT_QUICK", "256"),
    ];
    let workers = [
        ServerProcess::errand_worker(&database, &keys).await,
        ServerProcess::errand_worker(&database, &keys).await,
    ];
    throughput(table, &database, &workers, scale).await?;
    drop(workers);
    // Here the usual bounds hold, as for everybody: they are what keeps a loud dealer from the places
    // of the others.
    let _workers = [
        ServerProcess::errand_worker(&database, &[]).await,
        ServerProcess::errand_worker(&database, &[]).await,
    ];
    waiting(table, &database, &doors).await?;
    at_its_bound(table, &database).await
}

async fn throughput(
    table: &mut Table,
    database: &Scratch,
    workers: &[ServerProcess; 2],
    scale: Scale,
) -> Result<()> {
    let jobs = if is_quick() { 2_000 } else { 20_000 };
    let schemas = [
        database.schema_of(SLUGS[0]).await,
        database.schema_of(SLUGS[1]).await,
    ];
    let mut connection = database.connect().await;
    let like = "CREATE TABLE bench_job (LIKE jobs.job INCLUDING ALL)";
    sqlx::raw_sql(like).execute(&mut connection).await?;
    let (mut ours, mut floor) = <(Sample, Sample)>::default();
    for _ in 0..scale.rounds {
        for worker in workers {
            worker.suspend();
        }
        for schema in &schemas {
            fill(&mut connection, schema, jobs / 2).await?;
        }
        for worker in workers {
            worker.resume();
        }
        let begun = Instant::now();
        until_empty(&mut connection).await?;
        ours.add(f64::from(jobs) / begun.elapsed().as_secs_f64());
        floor.add(f64::from(jobs) / one_by_one(database, jobs).await?.as_secs_f64());
    }
    table.add(
        "empty jobs, two workers",
        "jobs/s",
        ours.median(),
        Some(floor.median()),
        Target::RatioAtLeast(0.3),
    );
    Ok(())
}

/// Every job written and removed by a statement of its own, on two connections.
async fn one_by_one(database: &Scratch, jobs: u32) -> Result<Duration> {
    let mut connections = vec![database.connect().await, database.connect().await];
    let begun = Instant::now();
    let mut both = JoinSet::new();
    for mut connection in connections.drain(..) {
        both.spawn(async move {
            for _ in 0..jobs / 2 {
                let id = Uuid::now_v7();
                for sql in [INSERT, DELETE] {
                    sqlx::query(sql).bind(id).execute(&mut connection).await?;
                }
            }
            anyhow::Ok(())
        });
    }
    while let Some(done) = both.join_next().await {
        done??;
    }
    Ok(begun.elapsed())
}

/// What a request writes, with and without a job.
async fn handing_over(
    table: &mut Table,
    database: &Scratch,
    doors: &Doors,
    scale: Scale,
) -> Result<()> {
    let times = if is_quick() { 100 } else { 500 };
    let (mut with, mut without) = <(Sample, Sample)>::default();
    let mut number = 0;
    for _ in 0..scale.rounds * times {
        for is_with in [true, false] {
            number += 1;
            let begun = Instant::now();
            doors.of[0]
                .write(async |tx| {
                    write(tx, number).await?;
                    if is_with {
                        let errand = Errand::new("nothing", "x");
                        enqueue(tx, &errand, Enqueue::now()).await?;
                    }
                    Ok::<_, DbErr>(())
                })
                .await?;
            match is_with {
                true => with.add_ms(begun.elapsed()),
                false => without.add_ms(begun.elapsed()),
            }
        }
    }
    sqlx::raw_sql("TRUNCATE jobs.job")
        .execute(&mut database.connect().await)
        .await?;
    table.add(
        "a transaction that hands a job over",
        "ms",
        with.median(),
        Some(without.median()),
        Target::RatioBelow(1.15),
    );
    Ok(())
}

/// A row, and its record.
async fn write(tx: &TenantTx, number: usize) -> Result<(), DbErr> {
    let sql = "INSERT INTO unit (code, name, symbol, decimals) VALUES ($1, $1, $1, 0)";
    let code = format!("b{number}");
    let values = [code.clone().into()];
    tx.execute_raw(Statement::from_sql_and_values(
        DbBackend::Postgres,
        sql,
        values,
    ))
    .await?;
    let stamp = Stamp {
        actor: Actor::System,
        request_id: None,
        address: None,
        at: OffsetDateTime::now_utc(),
    };
    events::record(tx, &stamp, &Change::new("unit.create", "unit", code)).await
}

/// A quiet dealer's job, alone and behind those of a loud one. Once: until what was loud is quiet again
/// takes minutes.
async fn waiting(table: &mut Table, database: &Scratch, doors: &Doors) -> Result<()> {
    let (behind, times) = if is_quick() {
        (5_000, 9)
    } else {
        (50_000, 100)
    };
    let mut connection = database.connect().await;
    let loud = database.schema_of(SLUGS[0]).await;
    let (mut alone, mut crowded) = <(Sample, Sample)>::default();
    until_empty(&mut connection).await?;
    for _ in 0..times {
        alone.add_ms(one(&mut connection, &doors.of[1]).await?);
    }
    fill(&mut connection, &loud, behind).await?;
    for _ in 0..times {
        crowded.add_ms(one(&mut connection, &doors.of[1]).await?);
    }
    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM jobs.job")
        .fetch_one(&mut connection)
        .await?;
    if left == 0 {
        bail!("the loud dealer's jobs were over too soon: nothing was measured");
    }
    table.add(
        "a quiet dealer's first job behind a loud one's",
        "ms",
        crowded.median(),
        Some(alone.median()),
        Target::RatioBelow(2.0),
    );
    Ok(())
}

/// The jobs of one dealer who has far more than may be under way at once: the second half of them, beside
/// the first. Nothing is vacuumed meanwhile and statistics are made in between, as autovacuum may have
/// it. Neither what is dead by then nor another plan must slow down what is left.
async fn at_its_bound(table: &mut Table, database: &Scratch) -> Result<()> {
    let jobs = if is_quick() { 5_000 } else { 50_000 };
    let mut connection = database.connect().await;
    // What is under way ends all the same.
    let from_new = "TRUNCATE jobs.job; ALTER TABLE jobs.job SET (autovacuum_enabled = false)";
    for sql in [from_new, "VACUUM ANALYZE jobs.job"] {
        sqlx::raw_sql(sql).execute(&mut connection).await?;
    }
    let begun = Instant::now();
    fill(&mut connection, &database.schema_of(SLUGS[0]).await, jobs).await?;
    let at_half = until_left(&mut connection, jobs / 2).await?;
    let half = Instant::now();
    sqlx::raw_sql("ANALYZE jobs.job")
        .execute(&mut connection)
        .await?;
    let at_end = until_left(&mut connection, 0).await?;
    let rate = |done: u32, took: Duration| f64::from(done) / took.as_secs_f64();
    table.add(
        "jobs of one dealer at its bound",
        "jobs/s",
        rate(at_half - at_end, half.elapsed()),
        Some(rate(jobs - at_half, half - begun)),
        Target::RatioAtLeast(0.7),
    );
    Ok(())
}

/// Answers with how many are left indeed.
async fn until_left(connection: &mut PgConnection, jobs: u32) -> Result<u32> {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        let left: i64 = sqlx::query_scalar("SELECT count(*) FROM jobs.job")
            .fetch_one(&mut *connection)
            .await?;
        if left <= i64::from(jobs) {
            return Ok(u32::try_from(left)?);
        }
        // It wades through what is dead in the table, too.
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    bail!("jobs are never done")
}

/// From handing a job over until it is done.
async fn one(connection: &mut PgConnection, door: &TenantDb) -> Result<Duration> {
    let errand = Errand::new("nothing", "quiet");
    let begun = Instant::now();
    let id = door
        .write(async |tx| enqueue(tx, &errand, Enqueue::now()).await)
        .await?;
    let is_there = "SELECT EXISTS (SELECT FROM jobs.job WHERE id = $1)";
    while begun.elapsed() < PATIENCE {
        let there: bool = sqlx::query_scalar(is_there)
            .bind(id)
            .fetch_one(&mut *connection)
            .await?;
        if !there {
            return Ok(begun.elapsed());
        }
        tokio::time::sleep(Duration::from_micros(500)).await;
    }
    bail!("a job is never done")
}

async fn fill(connection: &mut PgConnection, schema: &str, jobs: u32) -> Result<()> {
    let sql = format!(
        "INSERT INTO jobs.job (id, tenant, queue, kind, version, payload, priority, state, run_at,
             max_attempts, enqueued_at)
         SELECT gen_random_uuid(), '{schema}', 'quick', 'test.errand', 2,
             '{{\"does\": \"nothing\", \"name\": \"x\"}}', 5, 'ready', clock_timestamp(), 3,
             clock_timestamp()
         FROM generate_series(1, {jobs})"
    );
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(connection)
        .await?;
    Ok(())
}

async fn until_empty(connection: &mut PgConnection) -> Result<()> {
    let begun = Instant::now();
    let is_empty = "SELECT NOT EXISTS (SELECT FROM jobs.job)";
    while begun.elapsed() < PATIENCE {
        if sqlx::query_scalar(is_empty)
            .fetch_one(&mut *connection)
            .await?
        {
            return Ok(());
        }
        // It wades through what is dead in the table: more often it would take a processor.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    bail!("jobs are never done")
}

/// The doors that requests go through.
struct Doors {
    of: Vec<TenantDb>,
    /// Keeps the directory fresh, and rings the bell.
    _directory: Arc<Directory>,
}

impl Doors {
    async fn open(database: &Scratch) -> Result<Self> {
        let config = Config::from_environment([
            ("TUBEX_DATABASE__URL".to_owned(), database.server_url()),
            (
                "TUBEX_DATABASE__SECRET".to_owned(),
                database.secret().to_owned(),
            ),
            (
                "TUBEX_AUTH__TOKEN_SECRET".to_owned(),
                "a token secret for benches, long enough".to_owned(),
            ),
        ])?;
        let platform = PlatformDb::connect_lazily(&config.database)?;
        let directory = Directory::new(platform, &config.database)?;
        // It ends with the bench.
        directory.keep_fresh(&config.database);
        while !directory.is_loaded() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let mut of = Vec::new();
        for slug in SLUGS {
            let found = directory.find(&Address::Slug(slug.to_owned())).await;
            let Found::Tenant(tenant) = found else {
                bail!("{slug} is not in the directory");
            };
            of.push(directory.enter(&tenant).context("the door is open")?);
        }
        Ok(Self {
            of,
            _directory: directory,
        })
    }
}
