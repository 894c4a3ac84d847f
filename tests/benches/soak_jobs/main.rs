//! Workers killed again and again while there is work for them: nothing may be lost, and nothing done
//! twice.
//!
//! `make soak-jobs` runs it, and so does `make soak`; `KILLS` and `SEED` shape it.
#![allow(
    clippy::disallowed_types,
    reason = "a soak looks from outside: raw connections are its trade"
)]

use std::time::Instant;

use anyhow::{Context, Result, bail};
use sqlx::AssertSqlSafe;
use tests::Scratch;
use tests::errands::EFFECTS;
use tests::errands_survive::survive;

fn main() -> Result<()> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?
        .block_on(soak())
}

async fn soak() -> Result<()> {
    let (kills, seed) = (number("KILLS", 200)?, number("SEED", 1)?);
    let begun = Instant::now();
    let database = Scratch::with_dealers().await;
    let schema = database.schema_of("acme").await;
    let place =
        format!("SET search_path = {schema}; {EFFECTS}; GRANT INSERT ON errand_effect TO {schema}");
    sqlx::raw_sql(AssertSqlSafe(place))
        .execute(&mut database.connect().await)
        .await?;

    let tally = survive(&database, &schema, u32::try_from(kills)?, seed).await?;

    println!(
        "soak-jobs: {kills} kills in {:?}: {tally:?}",
        begun.elapsed()
    );
    if !tally.is_exact() {
        bail!("jobs were lost or done twice; repeat it with SEED={seed} KILLS={kills}");
    }
    Ok(())
}

fn number(key: &str, usual: u64) -> Result<u64> {
    match std::env::var(key) {
        Ok(text) if !text.is_empty() => text.parse().with_context(|| format!("{key}={text}")),
        _ => Ok(usual),
    }
}
