//! What the product must reach: each row measured against a floor in the same run, on the same
//! machine, and the table written to `target/bench.json`.
//!
//! `make bench` runs it. `ARGS='-- lists search'` runs only these parts; `SCALE=500` makes so many
//! dealers; `BENCH_QUICK=1` shrinks everything to see whether it works, not how well.
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    clippy::float_arithmetic,
    reason = "a bench looks from outside: real clocks, raw connections and ratios are its trade"
)]

mod big_import;
mod boot;
mod creation;
mod drift;
mod fleet;
mod floor;
mod growing;
mod identity;
mod imports;
mod jobs;
mod lists;
mod live;
mod price_list;
mod runs;
mod sample;
mod search;
mod server;
mod table;
mod tenancy;
mod wrk;

use std::time::Instant;

use anyhow::Result;
use tests::Scratch;

use self::fleet::Fleet;
use self::server::Server;
use self::table::Table;

/// How much is done.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    /// Dealers in the directory.
    pub dealers: usize,
    /// Dealers that the spread load goes to.
    pub visited: usize,
    /// Items of each of them.
    pub items_of_visited: usize,
    /// Items of the one dealer whose list is read.
    pub items_of_one: usize,
    /// Items of the dealer who is searched.
    pub items_searched: usize,
    /// Rows of the price file.
    pub rows_of_file: usize,
    /// Rows of the large one.
    pub rows_of_large_file: usize,
    /// Dealers that transactions are spread over.
    pub tenants: usize,
    /// Entries of the directory that is measured by itself.
    pub directory: usize,
    /// Dealers that are made from spares.
    pub from_spares: usize,
    /// Rounds of each measurement.
    pub rounds: usize,
    /// Length of one round of load, seconds.
    pub round_seconds: u64,
}

impl Scale {
    fn chosen() -> Self {
        let whole = Self {
            dealers: dealers().unwrap_or(2000),
            visited: 200,
            items_of_visited: 300,
            items_of_one: 5200,
            items_searched: 50_000,
            rows_of_file: 5200,
            rows_of_large_file: 100_000,
            tenants: 1000,
            directory: 10_000,
            from_spares: 200,
            rounds: 5,
            round_seconds: 3,
        };
        if !is_quick() {
            return whole;
        }
        Self {
            dealers: dealers().unwrap_or(40),
            visited: 20,
            tenants: 40,
            directory: 1000,
            from_spares: 20,
            items_searched: 20_000,
            rounds: 3,
            round_seconds: 1,
            ..whole
        }
    }
}

fn main() -> Result<()> {
    // Cargo says `--bench`; everything else is ours.
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| word != "--bench")
        .collect();
    if words.first().is_some_and(|word| word == floor::MODE) {
        return floor::serve(&words[1..]);
    }
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?
        .block_on(measure(&words))
}

async fn measure(parts: &[String]) -> Result<()> {
    let wanted = |part: &str| parts.is_empty() || parts.iter().any(|word| word == part);
    let (scale, begun) = (Scale::chosen(), Instant::now());
    let database = Scratch::empty().await;
    let mut table = Table::default();

    let fleet = Fleet::create(&database, scale.dealers).await?;
    let server = Server::start(&database).await?;
    if wanted("lists") {
        lists::measure(&mut table, &database, &server, &fleet, scale).await?;
    }
    if wanted("imports") {
        imports::measure(&mut table, &database, &server, &fleet, scale).await?;
    }
    if wanted("search") {
        search::measure(&mut table, &server, &fleet, scale).await?;
    }
    if wanted("identity") {
        identity::measure(&mut table, &server, &fleet, scale).await?;
    }
    if wanted("creation") {
        creation::measure(&mut table, &database, &server, &fleet, scale).await?;
    }
    if wanted("lists") || wanted("imports") {
        imports::memory(&mut table, &server)?;
    }
    drop(server);
    if wanted("big_import") {
        big_import::measure(&mut table, &database, &fleet, scale).await?;
    }
    if wanted("tenancy") {
        tenancy::measure(&mut table, &database, &fleet, scale).await?;
    }
    if wanted("noise") {
        tenancy::measure_noise(&mut table, &database, &fleet, scale).await?;
    }
    if wanted("directory") {
        tenancy::measure_directory(&mut table, scale).await?;
    }
    if wanted("drift") {
        drift::measure(&mut table, &database, scale).await?;
    }
    if wanted("live") {
        live::measure(&mut table, &database, &fleet, scale).await?;
    }
    if wanted("boot") {
        boot::measure(&mut table, &database, &fleet, scale).await?;
    }

    if wanted("jobs") {
        jobs::measure(&mut table, scale).await?;
    }
    if wanted("runs") {
        runs::measure(&mut table, scale).await?;
    }

    table.print(begun.elapsed());
    table.write()
}

/// How many dealers SCALE asks for.
fn dealers() -> Option<usize> {
    std::env::var("SCALE").ok()?.parse().ok()
}

/// Whether BENCH_QUICK asks for a look instead of a measurement.
pub fn is_quick() -> bool {
    std::env::var_os("BENCH_QUICK").is_some_and(|value| !value.is_empty())
}

/// Says what is going on, beside the table.
pub fn say(line: impl std::fmt::Display) {
    eprintln!("bench: {line}");
}
