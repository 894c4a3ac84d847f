//! A big price file, loaded by a worker of its own: what the processes need for it, and what another
//! dealer notices. `IMPORT_ROWS=1000000 make bench ARGS='-- big_import'` loads a million rows.

use std::cell::Cell;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::Value;
use tests::{Scratch, within};

use super::fleet::Fleet;
use super::price_list::{self, Barcodes, Month};
use super::sample::Sample;
use super::server::{Role, Server, SignedIn};
use super::table::{Table, Target};
use super::{Scale, say};

/// The quiet dealer thinks between two requests.
const PAUSE: Duration = Duration::from_millis(2);
/// How long the quiet dealer is alone, before and after.
const ALONE: Duration = Duration::from_secs(5);
/// A million rows on a slow machine.
const PATIENCE: Duration = Duration::from_secs(3600);
/// Where an import goes no further by itself.
const AT_REST: [&str; 4] = ["ready", "applied", "failed", "cancelled"];

/// Adds the rows of one big import.
///
/// # Errors
///
/// When the import fails, or a request of the other dealer.
pub async fn measure(
    table: &mut Table,
    database: &Scratch,
    fleet: &Fleet,
    scale: Scale,
) -> Result<()> {
    let redis = std::env::var("TUBEX_TEST_REDIS_URL").unwrap_or_default();
    let server = Server::start_as(Role::Api, database, &redis).await?;
    let worker = Server::start_as(Role::Worker, database, &redis).await?;
    let count = rows(scale);
    let (loud, quiet) = (
        server.enter(&fleet.take()).await?,
        server.enter(&fleet.take()).await?,
    );
    let few = price_list::file(300, Month::First, Barcodes::Left);
    load(&quiet, few, 300).await?;
    let file = price_list::file(count, Month::First, Barcodes::Left);
    say(format!(
        "the file of {count} rows has {} MB",
        file.len() / 1_000_000
    ));

    let (mut alone, mut beside) = <(Sample, Sample)>::default();
    ask(&quiet, &mut alone, |begun| begun.elapsed() < ALONE).await?;
    let is_over = Cell::new(false);
    let loading = async {
        let loaded = load(&loud, file, count).await;
        is_over.set(true);
        loaded
    };
    let asking = ask(&quiet, &mut beside, |_| !is_over.get());
    let (took, asked) = tokio::join!(loading, asking);
    let took = took?;
    asked?;
    ask(&quiet, &mut alone, |begun| begun.elapsed() < ALONE).await?;

    say(format!(
        "{count} rows took {} ms, {} rows a second",
        took.as_millis(),
        count as u128 * 1000 / took.as_millis().max(1)
    ));
    table.add(
        "another dealer's p99 during a big import",
        "ms",
        beside.percentile(99),
        Some(alone.percentile(99)),
        Target::RatioBelow(1.3),
    );
    for (name, process) in [
        ("peak memory of the worker, big import", &worker),
        ("peak memory of the server, big import", &server),
    ] {
        let peak = process.peak_memory_mb()?;
        table.add(name, "MB", peak, None, Target::Below(200.0));
    }
    Ok(())
}

/// How many rows IMPORT_ROWS asks for.
fn rows(scale: Scale) -> usize {
    let asked = std::env::var("IMPORT_ROWS").ok();
    let asked = asked.and_then(|rows| rows.parse().ok());
    asked.unwrap_or(scale.rows_of_large_file)
}

/// Loads a file whose rows are all new, and waits for its end; looking is no load of its own.
///
/// # Errors
///
/// When not all of it is in the catalogue.
pub(super) async fn load(dealer: &SignedIn, file: String, count: usize) -> Result<Duration> {
    let begun = Instant::now();
    let sent = dealer.owner.send_file("apply=true", file).await.expect(202);
    let path = format!("/imports/{}", sent.json["id"].as_str().unwrap_or_default());
    let mut import = Value::Null;
    within(PATIENCE, "the import comes to rest", async || {
        tokio::time::sleep(Duration::from_millis(100)).await;
        import = dealer.owner.get(&path).await.expect(200).json;
        AT_REST.contains(&import["status"].as_str().unwrap_or_default())
    })
    .await;
    let took = begun.elapsed();
    ensure!(
        import["status"] == "applied" && import["counts"]["created"] == count,
        "expected {count} new items, but: {import}"
    );
    Ok(took)
}

/// Requests of the quiet dealer, one after the other.
async fn ask(
    dealer: &SignedIn,
    times: &mut Sample,
    goes_on: impl Fn(Instant) -> bool,
) -> Result<()> {
    let begun = Instant::now();
    while goes_on(begun) {
        let asked = Instant::now();
        dealer.owner.get("/items?limit=20").await.expect(200);
        times.add_ms(asked.elapsed());
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}
