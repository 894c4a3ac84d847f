//! What a neighbour notices of a tenant that wants ten times its share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tests::Scratch;
use tokio::task::JoinSet;

use super::Visit;
use super::ours::Ours;
use crate::fleet::Fleet;
use crate::sample::Sample;
use crate::table::{Table, Target};
use crate::{Scale, say};

/// Ten times the configured bound of a tenant.
const NOISE: usize = 30;
/// The quiet tenant thinks between two requests, milliseconds.
const PAUSE_MS: u64 = 2;

/// Noise that holds connections and waits, as a slow disk or a lock makes it.
const WAITING: &str = "SELECT pg_sleep(0.02)";
/// Noise that computes. On a machine with fewer cores than its bound it also takes those.
const COMPUTING: &str = "SELECT count(*) FROM generate_series(1, 20000)";

/// Adds the rows of the noisy neighbour.
///
/// # Errors
///
/// When a request of the quiet tenant fails.
pub async fn measure(
    table: &mut Table,
    database: &Scratch,
    fleet: &Fleet,
    scale: Scale,
) -> Result<()> {
    let [noisy, same, other] = places(database, fleet).await?;
    super::furnish(database, &[same.clone(), other.clone()]).await?;
    let ours = Arc::new(Ours::open(database, &[noisy, same, other]).await?);
    let round = Duration::from_secs(scale.round_seconds);
    for (what, sql) in [("waits", WAITING), ("computes", COMPUTING)] {
        for (quiet, lane, bound) in [(2, "another", 1.2), (1, "the same", 2.0)] {
            p99(&ours, quiet, round / 4).await?;
            let (mut without, mut with) = <(Sample, Sample)>::default();
            for _ in 0..scale.rounds.min(3) {
                without.add_ms(p99(&ours, quiet, round).await?);
                let noise = Noise::start(&ours, sql);
                tokio::time::sleep(Duration::from_millis(200)).await;
                with.add_ms(p99(&ours, quiet, round).await?);
                noise.stop().await;
            }
            let name = match (what, lane) {
                ("waits", "another") => "p99, noise that waits in another lane",
                ("waits", _) => "p99, noise that waits in the same lane",
                (_, "another") => "p99, noise that computes in another lane",
                _ => "p99, noise that computes in the same lane",
            };
            table.add(
                name,
                "ms",
                with.median(),
                Some(without.median()),
                Target::RatioBelow(bound),
            );
        }
    }
    Ok(())
}

/// A noisy tenant, a neighbour on its lane, and one on another.
async fn places(database: &Scratch, fleet: &Fleet) -> Result<[String; 3]> {
    let mut connection = database.connect().await;
    let noisy = Fleet::slug(0);
    let mut find = async |relation: &str| {
        let sql = format!(
            "SELECT t.slug FROM platform.tenant t, platform.tenant n
             WHERE n.slug = $1 AND t.slug <> n.slug AND t.lane_id {relation} n.lane_id
             ORDER BY t.created_at LIMIT 1"
        );
        sqlx::query_scalar::<_, String>(sqlx::AssertSqlSafe(sql))
            .bind(&noisy)
            .fetch_optional(&mut connection)
            .await
    };
    let same = find("=").await?.context("a neighbour on the lane")?;
    let other = match find("<>").await? {
        Some(other) => other,
        None => {
            // A small fleet has one lane; a second one is made for somebody to live on.
            let slug = Fleet::slug(fleet.size() - 1);
            let moved = tests::tubex(
                &database.owner_url(),
                &["lane", "move", &slug, "--dedicated"],
                &[],
            );
            anyhow::ensure!(
                moved.status.success(),
                "{}",
                String::from_utf8_lossy(&moved.stderr)
            );
            say(format!("{slug} was moved to a lane of its own"));
            slug
        }
    };
    Ok([noisy, same, other])
}

/// Requests of the noisy tenant, as many at once as ten times its bound.
struct Noise {
    is_over: Arc<AtomicBool>,
    tasks: JoinSet<()>,
}

impl Noise {
    fn start(ours: &Arc<Ours>, sql: &'static str) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let mut tasks = JoinSet::new();
        for _ in 0..NOISE {
            let (ours, is_over) = (ours.clone(), is_over.clone());
            tasks.spawn(async move {
                while !is_over.load(Ordering::Relaxed) {
                    // Refused or not, it goes on: that is what makes it noise.
                    let _ = ours.run(0, sql).await;
                }
            });
        }
        Self { is_over, tasks }
    }

    async fn stop(mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        while self.tasks.join_next().await.is_some() {}
    }
}

async fn p99(ours: &Arc<Ours>, tenant: usize, length: Duration) -> Result<Duration> {
    let mut times = Sample::default();
    let begun = Instant::now();
    while begun.elapsed() < length {
        let asked = Instant::now();
        ours.visit(tenant).await?;
        times.add_ms(asked.elapsed());
        tokio::time::sleep(Duration::from_millis(PAUSE_MS)).await;
    }
    Ok(Duration::from_secs_f64(times.percentile(99) / 1000.0))
}
