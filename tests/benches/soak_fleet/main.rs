//! `tubex` killed again and again, at moments that a seed chooses, on a platform with two nodes
//! whose databases are stopped and crash now and then.
//!
//! `make soak-fleet` runs it; `KILLS` and `SEED` shape it. What was cut is done again at the end,
//! and then everything has to be in order: histories, structure, schemas, roles, spares.
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a soak looks from outside: real clocks and raw connections are its trade"
)]

mod errands;
mod findings;
mod ground;
mod killer;
mod repair;
mod soak;

use std::time::Instant;

use anyhow::{Context, Result, bail};

use self::soak::Soak;

fn main() -> Result<()> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?
        .block_on(run())
}

async fn run() -> Result<()> {
    let (kills, seed) = (number("KILLS", 200)?, number("SEED", seed_of_today())?);
    let begun = Instant::now();
    let mut soak = Soak::begin(seed).await?;
    println!(
        "soak-fleet: three clusters after {:?}; {kills} kills, SEED={seed}",
        begun.elapsed()
    );
    soak.kill_until(kills).await?;
    println!(
        "soak-fleet: {} kills after {:?}",
        soak.killed(),
        begun.elapsed()
    );
    let findings = soak.repair_and_look().await?;
    println!("soak-fleet: {}", soak.account());
    for finding in &findings {
        println!("soak-fleet: FOUND {finding}");
    }
    println!(
        "soak-fleet: {} findings after {:?}",
        findings.len(),
        begun.elapsed()
    );
    if !findings.is_empty() {
        bail!("the soak found something; repeat it with SEED={seed} KILLS={kills}");
    }
    Ok(())
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
