//! Migrations over the fleet: against a loop of the bare statements, with one tenant locked, beside
//! traffic; and what the whole program costs.

mod process;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use provisioner::password::{self, Cost};
use provisioner::{Depth, Product, Provisioner, RunEntry, RunOptions, WorkOptions};
use sea_orm::{ConnectOptions, Database};
use sqlx::{AssertSqlSafe, PgConnection};
use tests::{Scratch, tubex};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::creation::p99;
use super::fleet::{Fleet, PASSWORD, called};
use super::growing::Growing;
use super::sample::Sample;
use super::server::Server;
use super::table::{Table, Target};
use super::{Scale, say};

/// The migrations that dealers of the year before last have.
const OLD: usize = 2;
/// What is asked of the catalogues, as the product asks it.
const MARKS: &str = include_str!("../../../provisioner/src/fingerprint/marks.sql");

/// Adds the rows of runs, on databases of their own.
///
/// # Errors
///
/// When a dealer can't be made or a run does not end well.
pub async fn measure(table: &mut Table, scale: Scale) -> Result<()> {
    let ours = fleet(scale.dealers, Growing::knowing(OLD)).await?;
    process::measure(table, &ours, scale)?;
    let floor = fleet(scale.dealers, Growing::with_columns(0)).await?;
    let schemas: Arc<[String]> = schemas(&floor).await?.into();
    let mut columns = 0;

    let (mut runs, mut raw, mut times) = <(Sample, Sample, Sample)>::default();
    for round in 0..scale.rounds {
        columns += 1;
        let took = loop_of(&floor, &schemas, round).await?;
        raw.add(scale.dealers as f64 / took.as_secs_f64());
        let begun = Instant::now();
        let run = migrate(&ours, columns).await?;
        runs.add(scale.dealers as f64 / begun.elapsed().as_secs_f64());
        ensure!(run.counts.done == scale.dealers as i64, "{run:?}");
        times.add_ms(others_done(&ours, &run).await?);
    }
    table.add(
        "add a column to every dealer, 2 connections",
        "tenants/s",
        runs.median(),
        Some(raw.median()),
        Target::RatioAtLeast(0.7),
    );

    let mut locked = Sample::default();
    for _ in 0..scale.rounds.min(3) {
        columns += 1;
        locked.add_ms(with_one_locked(&ours, columns).await?);
    }
    table.add(
        "the others, with one dealer locked for 5 s",
        "ms",
        locked.median(),
        Some(times.median()),
        Target::RatioBelow(1.3),
    );
    fingerprints(table, &ours, columns, scale).await?;
    beside_traffic(table, &ours, columns, scale).await?;
    export(table, &ours, scale).await
}

/// A database with so many dealers.
async fn fleet(size: usize, product: Growing) -> Result<Scratch> {
    let database = Scratch::empty().await;
    let migrated = tubex(&database.owner_url(), &["platform", "migrate"], &[]);
    ensure!(migrated.status.success(), "{migrated:?}");
    let begun = Instant::now();
    let hash: Arc<str> = password::hash(&PASSWORD.into(), Cost::default())?.into();
    let mut creators = JoinSet::new();
    for first in 0..2 {
        let provisioner = provisioner(&database, product).await?;
        let hash = hash.clone();
        creators.spawn(async move {
            for number in (first..size).step_by(2) {
                let new = called(&Fleet::slug(number), &hash)?;
                provisioner.create(new).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(done) = creators.join_next().await {
        done??;
    }
    say(format!(
        "{size} dealers made in {} s",
        begun.elapsed().as_secs()
    ));
    Ok(database)
}

async fn provisioner<P: Product>(database: &Scratch, product: P) -> Result<Provisioner<P>> {
    let mut options = ConnectOptions::new(database.owner_url());
    options.max_connections(6).sqlx_logging(false);
    let connection = Database::connect(options).await?;
    Ok(Provisioner::new(
        connection,
        database.secret().into(),
        product,
    ))
}

async fn schemas(database: &Scratch) -> Result<Vec<String>> {
    let mut connection = database.connect().await;
    let sql = "SELECT schema_name FROM platform.tenant ORDER BY slug";
    Ok(sqlx::query_scalar(sql).fetch_all(&mut connection).await?)
}

/// The floor: one message for each tenant, on two connections.
async fn loop_of(database: &Scratch, schemas: &Arc<[String]>, round: usize) -> Result<Duration> {
    let mut connections = vec![database.connect().await, database.connect().await];
    let begun = Instant::now();
    let mut workers = JoinSet::new();
    for (first, mut connection) in connections.drain(..).enumerate() {
        let schemas = Arc::clone(schemas);
        workers.spawn(async move {
            for schema in schemas.iter().skip(first).step_by(2) {
                let message = format!(
                    "BEGIN; SET LOCAL search_path = {schema}, shared, pg_temp;
                     ALTER TABLE member ADD COLUMN bench_{round} text;
                     INSERT INTO seaql_migrations (version, applied_at) VALUES ('b{round}', 0);
                     COMMIT"
                );
                say_to(&mut connection, &message).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(done) = workers.join_next().await {
        done??;
    }
    Ok(begun.elapsed())
}

async fn say_to(connection: &mut PgConnection, sql: &str) -> Result<()> {
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(connection)
        .await?;
    Ok(())
}

async fn migrate(database: &Scratch, columns: usize) -> Result<RunEntry> {
    let provisioner = provisioner(database, Growing::with_columns(columns)).await?;
    let run = provisioner.migrate(RunOptions::default(), "bench").await?;
    run.context("there was nothing to do")
}

/// From the beginning of a run until everybody was done who never met a lock.
async fn others_done(database: &Scratch, run: &RunEntry) -> Result<Duration> {
    let mut connection = database.connect().await;
    let sql = "SELECT (extract(epoch FROM max(m.finished_at) - r.created_at) * 1000000)::bigint
               FROM platform.migration_run r
               JOIN platform.migration_run_tenant m ON m.run_id = r.id
               WHERE r.id = $1 AND m.lock_waits = 0 GROUP BY r.id";
    let took: i64 = sqlx::query_scalar(sql)
        .bind(run.id)
        .fetch_one(&mut connection)
        .await?;
    Ok(Duration::from_micros(took.unsigned_abs()))
}

async fn with_one_locked(database: &Scratch, columns: usize) -> Result<Duration> {
    let schemas = schemas(database).await?;
    let mut holder = database.connect().await;
    let lock = format!("BEGIN; LOCK TABLE {}.member", schemas[schemas.len() / 2]);
    say_to(&mut holder, &lock).await?;
    let release = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(5)).await;
        say_to(&mut holder, "ROLLBACK").await
    });
    let run = migrate(database, columns).await?;
    release.await??;
    ensure!(run.counts.done == run.counts.all(), "{run:?}");
    others_done(database, &run).await
}

async fn fingerprints(
    table: &mut Table,
    database: &Scratch,
    columns: usize,
    scale: Scale,
) -> Result<()> {
    let provisioner = provisioner(database, Growing::with_columns(columns)).await?;
    let schemas = schemas(database).await?;
    let mut connection = database.connect().await;
    let (mut ours, mut floor) = <(Sample, Sample)>::default();
    for _ in 0..scale.rounds {
        let begun = Instant::now();
        let examined = provisioner.examine(Depth::Structure).await?;
        ours.add_ms(begun.elapsed());
        ensure!(examined.drifted.is_empty(), "{:?}", examined.drifted);
        let begun = Instant::now();
        for some in schemas.chunks(100) {
            let rows = sqlx::query(MARKS)
                .bind(some)
                .fetch_all(&mut connection)
                .await?;
            ensure!(rows.len() == some.len(), "a schema is missing");
        }
        floor.add_ms(begun.elapsed());
    }
    table.add(
        "fingerprint of every schema",
        "ms",
        ours.median(),
        Some(floor.median()),
        Target::RatioBelow(1.3),
    );
    Ok(())
}

/// Compares a dealer's slowest requests with and without a run that goes to and fro.
async fn beside_traffic(
    table: &mut Table,
    database: &Scratch,
    columns: usize,
    scale: Scale,
) -> Result<()> {
    let server = Server::start(database).await?;
    let dealer = server.enter(&Fleet::slug(0)).await?;
    let round = Duration::from_secs(scale.round_seconds);
    p99(&dealer, round / 4).await?;
    let provisioner = provisioner(database, Growing::with_columns(columns + 1)).await?;
    let (mut without, mut with, mut runs) = (Sample::default(), Sample::default(), 0);
    for _ in 0..scale.rounds {
        without.add_ms(p99(&dealer, round).await?);
        let (stop, mut stopped) = oneshot::channel::<()>();
        let worker = tokio::spawn({
            let provisioner = provisioner.clone();
            async move {
                let mut runs = 0;
                while stopped.try_recv() == Err(oneshot::error::TryRecvError::Empty) {
                    let run = provisioner.migrate(RunOptions::default(), "bench").await?;
                    let run = run.context("there was nothing to do")?;
                    let back = provisioner.rollback_run(run.id, true, "bench").await?;
                    provisioner.work(back.id, WorkOptions::quietly()).await?;
                    runs += 2;
                }
                anyhow::Ok(runs)
            }
        });
        with.add_ms(p99(&dealer, round).await?);
        drop(stop);
        runs += worker.await??;
    }
    say(format!("{runs} runs went by meanwhile"));
    table.add(
        "p99 of a dealer while a run goes on",
        "ms",
        with.median(),
        Some(without.median()),
        Target::RatioBelow(1.5),
    );
    Ok(())
}

async fn export(table: &mut Table, database: &Scratch, scale: Scale) -> Result<()> {
    let provisioner = provisioner(database, Growing::with_columns(0)).await?;
    let folder = tempfile::tempdir()?;
    let entry = provisioner.show(&Fleet::slug(1)).await?;
    let (mut ours, mut floor) = <(Sample, Sample)>::default();
    for round in 0..scale.rounds {
        let to = folder.path().join(round.to_string());
        let begun = Instant::now();
        provisioner.export(&entry.slug, &to, "bench").await?;
        ours.add_ms(begun.elapsed());
        floor.add_ms(process::dump(
            database,
            &entry.schema_name,
            &folder.path().join("dump"),
        )?);
    }
    ensure!(
        Path::new(folder.path()).join("0/manifest.json").exists(),
        "nothing was exported"
    );
    table.add(
        "export of one dealer, against pg_dump -n",
        "ms",
        ours.median(),
        Some(floor.median()),
        Target::RatioBelow(0.1),
    );
    Ok(())
}
