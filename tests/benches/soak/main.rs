//! Canaries for as long as one likes, against two real servers on a Postgres of their own, while
//! everything around them is stopped, killed, moved and shut.
//!
//! `make soak` runs it; `REQUESTS`, `SEED`, `MINUTES` and `WITHOUT` (a list such as
//! `lane-move,postgres-crashed`) shape it. It fails on any marker at a neighbour's, and on any answer
//! that is neither expected nor a documented 503.
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a soak looks from outside: real clocks and raw connections are its trade"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tests::canary::{Disturbance, Disturber, Ears, Flock, Options, Target, run};
use tests::{Scratch, ServerProcess};
use tokio::sync::watch;

/// Dealers, on so many lanes that some are full and some are of one connection.
const DEALERS: usize = 12;
const DEALERS_PER_LANE: u16 = 3;
/// Below what rows are held for, above what work takes on a busy machine.
const STATEMENT_TIMEOUT_MS: &str = "400";
/// Time between two disturbances.
const PAUSE: Duration = Duration::from_secs(3);

fn main() -> Result<()> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?
        .block_on(soak())
}

async fn soak() -> Result<()> {
    let (requests, minutes) = (number("REQUESTS", 200_000)?, number("MINUTES", 20)?);
    let seed = number("SEED", seed_of_today())?;
    let options = Options {
        seed,
        requests,
        actors: 12,
        broken_off_percent: 10,
        time_limit: Duration::from_secs(minutes * 60),
    };
    let ways = ways()?;
    let begun = Instant::now();
    let (_folder, postgres, database) = Scratch::on_its_own_postgres().await;
    let database = Arc::new(database);
    let slugs: Vec<_> = (0..DEALERS)
        .map(|number| format!("dealer-{number}"))
        .collect();
    let slugs: Vec<_> = slugs.iter().map(String::as_str).collect();
    database.settle(&slugs, DEALERS_PER_LANE).await;

    let mut servers = Vec::new();
    for _ in 0..2 {
        let server = ServerProcess::start(&database, KEYS, "canary").await;
        servers.push((Target::new(server.base()), server));
    }
    let targets: Vec<_> = servers.iter().map(|(target, _)| target.clone()).collect();
    let flock = Arc::new(Flock::furnish(&database, &targets[0], &slugs).await);
    println!(
        "soak: {DEALERS} dealers after {:?}; {requests} requests, at most {minutes} min, \
         disturbed by {ways:?}",
        begun.elapsed()
    );

    let mut disturber = Disturber::new(
        database.clone(),
        Some(postgres),
        servers,
        flock.clone(),
        seed,
    );
    let ears = Ears::listen(&flock, &targets).await;
    let (end, has_ended) = watch::channel(false);
    let traffic = async {
        let report = run(&flock, &targets, options).await;
        end.send_replace(true);
        report
    };
    let (mut report, ()) =
        tokio::join!(traffic, disturber.disturb_in_turn(&ways, PAUSE, has_ended));
    flock.come_to_rest(&targets[0], &mut report).await;
    ears.compare(&database, &mut report).await;
    disturber.report(&mut report).await;
    flock.look_around(&database, &mut report).await;

    println!("soak: {report}");
    println!("soak: took {:?}", begun.elapsed());
    if !report.is_clean() {
        bail!("the soak found something; repeat it with SEED={seed}");
    }
    if report.requests() < requests {
        bail!(
            "the soak was cut short after {} of {requests} requests: give it more MINUTES, or ask for \
             fewer REQUESTS",
            report.requests()
        );
    }
    Ok(())
}

const KEYS: &[(&str, &str)] = &[
    ("TUBEX_DATABASE__STATEMENT_TIMEOUT_MS", STATEMENT_TIMEOUT_MS),
    ("TUBEX_DATABASE__PROCESSES", "2"),
    ("TUBEX_JOBS__INSIDE", "true"),
    // A few callers make as many requests as they can.
    ("TUBEX_LIMITS__ADDRESS_PER_MINUTE", "0"),
    ("TUBEX_LIMITS__READ_PER_MINUTE", "0"),
    ("TUBEX_LIMITS__WRITE_PER_MINUTE", "0"),
    ("TUBEX_LIMITS__AUTH_PER_MINUTE", "0"),
    ("TUBEX_LIMITS__TENANT_PER_MINUTE", "0"),
    // No token may run out while it is used.
    ("TUBEX_AUTH__ACCESS_MINUTES", "600"),
    // All that it can say about requests is listened to.
    ("TUBEX_LOG__FILTER", "info,server=debug"),
];

/// All ways to disturb but those that are left out.
fn ways() -> Result<Vec<Disturbance>> {
    let without = std::env::var("WITHOUT").unwrap_or_default();
    let without: Vec<_> = without.split(',').filter(|name| !name.is_empty()).collect();
    let option = |way: &Disturbance| way.name().to_lowercase().replace(' ', "-");
    for name in &without {
        if !Disturbance::ALL.iter().any(|way| option(way) == *name) {
            let known: Vec<_> = Disturbance::ALL.iter().map(option).collect();
            bail!("WITHOUT={name}: there are only {}", known.join(", "));
        }
    }
    let mut ways = Disturbance::ALL.to_vec();
    ways.retain(|way| !without.contains(&option(way).as_str()));
    if ways.is_empty() {
        bail!("nothing is left to disturb with");
    }
    Ok(ways)
}

fn number(key: &str, usual: u64) -> Result<u64> {
    match std::env::var(key) {
        Ok(text) if !text.is_empty() => text.parse().with_context(|| format!("{key}={text}")),
        _ => Ok(usual),
    }
}

/// Another one each time; it is printed.
fn seed_of_today() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(1, |since| since.as_secs())
}
