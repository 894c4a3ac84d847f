//! Drift of the whole fleet: against the bare question that it asks of the catalogues, with some
//! dealers changed by hand, and what it costs the backend that answers.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use provisioner::{Depth, Provisioner};
use sea_orm::{ConnectOptions, Database};
use server::platform::Dealers;
use sqlx::{AssertSqlSafe, Connection as _};
use tests::Scratch;

use super::sample::Sample;
use super::table::{Table, Target};
use super::{Scale, say};

/// What is asked of the catalogues, as the product asks it.
const MARKS: &str = include_str!("../../../provisioner/src/fingerprint/marks.sql");
/// One of so many dealers is changed by hand.
const ONE_OF: usize = 10;

/// Adds the rows of drift.
///
/// # Errors
///
/// When the fleet can't be looked at, or what is seen is not what was done to it.
pub async fn measure(table: &mut Table, database: &Scratch, scale: Scale) -> Result<()> {
    let mut connection = database.connect().await;
    let sql = "SELECT schema_name FROM platform.tenant
               WHERE status NOT IN ('provisioning', 'archived', 'gone') ORDER BY schema_name";
    let schemas: Vec<String> = sqlx::query_scalar(sql).fetch_all(&mut connection).await?;
    let (mut ours, mut floor) = <(Sample, Sample)>::default();
    for _ in 0..scale.rounds {
        let begun = Instant::now();
        for some in schemas.chunks(100) {
            let asked = sqlx::query(MARKS).bind(some);
            let rows = asked.fetch_all(&mut connection).await?;
            ensure!(rows.len() == some.len(), "a schema is missing");
        }
        floor.add_ms(begun.elapsed());
        let looked = look(database).await?;
        ensure!(looked.groups == 0 && looked.looked_at == schemas.len());
        ours.add_ms(looked.took);
    }
    table.add(
        "drift of every dealer, against its bare query",
        "ms",
        ours.median(),
        Some(floor.median()),
        Target::RatioBelow(1.5),
    );

    for schema in schemas.iter().step_by(ONE_OF) {
        let sql = format!("ALTER TABLE {schema}.item ADD COLUMN mine text");
        sqlx::raw_sql(AssertSqlSafe(sql))
            .execute(&mut connection)
            .await?;
    }
    connection.close().await?;
    let (mut times, mut memory) = <(Sample, Sample)>::default();
    for _ in 0..scale.rounds {
        let looked = look(database).await?;
        ensure!(looked.groups == 1, "{} groups", looked.groups);
        times.add_ms(looked.took * 1000 / u32::try_from(schemas.len())?);
        memory.add(looked.most_bytes as f64 / f64::from(1024 * 1024));
    }
    say(format!("{} dealers were looked at", schemas.len()));
    table.add(
        "drift, a tenth changed, for 1000 dealers",
        "ms",
        times.median(),
        None,
        Target::Below(3000.0),
    );
    table.add(
        "drift, most private memory of its backend",
        "MB",
        memory.percentile(100),
        None,
        Target::Below(200.0),
    );
    Ok(())
}

/// One look at the whole fleet, through a single new connection.
struct Look {
    took: Duration,
    groups: usize,
    looked_at: usize,
    most_bytes: u64,
}

async fn look(database: &Scratch) -> Result<Look> {
    let mut options = ConnectOptions::new(database.owner_url());
    options.max_connections(1).sqlx_logging(false);
    let connection = Database::connect(options).await?;
    let pool = connection.get_postgres_connection_pool().clone();
    let backend: i32 = sqlx::query_scalar("SELECT pg_backend_pid()")
        .fetch_one(&pool)
        .await?;
    let is_over = Arc::new(AtomicBool::new(false));
    let watcher = std::thread::spawn({
        let is_over = Arc::clone(&is_over);
        move || watch(backend, &is_over)
    });
    let provisioner = Provisioner::new(connection, database.secret().into(), Dealers);
    let begun = Instant::now();
    let examined = provisioner.examine(Depth::Structure).await;
    let took = begun.elapsed();
    is_over.store(true, Ordering::Relaxed);
    let most = watcher.join();
    pool.close().await;
    let examined = examined?;
    Ok(Look {
        took,
        groups: examined.groups().len(),
        looked_at: examined.looked_at,
        most_bytes: most.ok().flatten().context("nothing was measured")?,
    })
}

/// The most memory of its own that a process ever has until `is_over`; shared buffers are not its
/// own.
fn watch(process: i32, is_over: &AtomicBool) -> Option<u64> {
    let path = format!("/proc/{process}/status");
    let mut most = None;
    while !is_over.load(Ordering::Relaxed) {
        let text = fs::read_to_string(&path).ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix("RssAnon:"));
        let kilobytes: u64 = line?.trim().trim_end_matches(" kB").parse().ok()?;
        most = most.max(Some(kilobytes * 1024));
        std::thread::sleep(Duration::from_millis(5));
    }
    most
}
