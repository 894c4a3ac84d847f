//! What tenancy costs: our transactions against a bare connection and against the usual single
//! pool, the memory of the backends, the directory, and what a noisy neighbour does.

mod directory;
mod memory;
mod noise;
mod ours;
mod single_pool;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use sqlx::{AssertSqlSafe, Executor};
use tests::Scratch;
use tokio::task::JoinSet;

pub use self::directory::measure as measure_directory;
pub use self::noise::measure as measure_noise;
use self::ours::Ours;
use self::single_pool::{Bare, SinglePool};
use super::fleet::Fleet;
use super::price_list::Random;
use super::sample::Sample;
use super::table::{Table, Target};
use super::wrk::zipf_order;
use super::{Scale, say};

/// Workers that keep both sides busy: as many as there are connections, at the usual scale.
const WORKERS: usize = 16;

/// A join of three tables, as a list page does it.
pub const QUERY: &str = "SELECT i.id, i.sku, i.name, u.symbol, g.name AS group_name \
     FROM item i JOIN unit u ON u.code = i.base_unit \
     LEFT JOIN item_group g ON g.id = i.group_id \
     WHERE i.sku >= $1 ORDER BY i.sku LIMIT 5";
/// What it is asked for.
pub const FROM_SKU: &str = "B-1";

/// Somebody who runs [`QUERY`] for a tenant, by number.
#[async_trait::async_trait]
pub trait Visit: Send + Sync + 'static {
    /// One transaction of one tenant.
    async fn visit(&self, tenant: usize) -> Result<()>;

    /// The same with another statement, whose rows nobody reads.
    async fn run(&self, tenant: usize, sql: &'static str) -> Result<()>;
}

/// Adds the rows of the transactions.
///
/// # Errors
///
/// When a transaction fails.
pub async fn measure(
    table: &mut Table,
    database: &Scratch,
    fleet: &Fleet,
    scale: Scale,
) -> Result<()> {
    // Every so many-th, so that all lanes are visited.
    let step = (fleet.size() / scale.tenants).max(1);
    let slugs: Vec<_> = (0..scale.tenants.min(fleet.size()))
        .map(|number| Fleet::slug(number * step))
        .collect();
    let schemas = furnish(database, &slugs).await?;
    let ours = Arc::new(Ours::open(database, &slugs).await?);
    let pool = Arc::new(SinglePool::open(database, schemas.clone(), ours.connections()).await?);
    let bare = Arc::new(Bare::open(database, &schemas[0]).await?);
    say(format!(
        "{} tenants on {} lanes with {} connections",
        slugs.len(),
        ours.lanes(),
        ours.connections()
    ));

    let everybody = Arc::new(zipf_order(slugs.len()));
    let somebody = Arc::new(vec![1]);
    let round = Duration::from_secs(scale.round_seconds);
    // Pools, plans and caches fill before the clock starts.
    throughput(&ours, &everybody, WORKERS, round).await?;
    throughput(&pool, &everybody, WORKERS, round).await?;
    let (mut single, mut raw) = <(Sample, Sample)>::default();
    let (mut spread, mut usual, mut one) = <(Sample, Sample, Sample)>::default();
    for _ in 0..scale.rounds {
        raw.add(throughput(&bare, &somebody, 1, round).await?);
        single.add(throughput(&ours, &somebody, 1, round).await?);
        usual.add(throughput(&pool, &everybody, WORKERS, round).await?);
        spread.add(throughput(&ours, &everybody, WORKERS, round).await?);
        one.add(throughput(&ours, &somebody, WORKERS, round).await?);
    }
    table.add(
        "transaction of one tenant, one at a time",
        "tx/s",
        single.median(),
        Some(raw.median()),
        Target::RatioAtLeast(0.5),
    );
    table.add(
        "Zipf over tenants, against the single pool",
        "tx/s",
        spread.median(),
        Some(usual.median()),
        Target::RatioAtLeast(2.5),
    );
    table.add(
        "Zipf over tenants, against one tenant",
        "tx/s",
        spread.median(),
        Some(one.median()),
        Target::RatioAtLeast(0.6),
    );
    let (of_lanes, of_pool) = (
        memory::of_lanes(database).await?,
        memory::of_pool(database).await?,
    );
    table.add(
        "backends' memory after it",
        "MB",
        of_lanes,
        Some(of_pool),
        Target::RatioBelow(0.6),
    );
    say(ours.cache_report());
    drop((ours, pool, bare));
    memory::measure(table, database, fleet).await
}

/// Transactions per second of so many workers, who draw their tenants from `order`.
pub async fn throughput<V: Visit>(
    visitor: &Arc<V>,
    order: &Arc<Vec<usize>>,
    workers: usize,
    length: Duration,
) -> Result<f64> {
    let (done, is_over) = (
        Arc::new(AtomicU64::new(0)),
        Arc::new(AtomicBool::new(false)),
    );
    let mut tasks = JoinSet::new();
    let begun = Instant::now();
    for worker in 0..workers {
        let (visitor, order) = (visitor.clone(), order.clone());
        let (done, is_over) = (done.clone(), is_over.clone());
        tasks.spawn(async move {
            let mut random = Random::new(worker as u64 + 1);
            while !is_over.load(Ordering::Relaxed) {
                let drawn = order[random.below(order.len() as u64) as usize] - 1;
                visitor.visit(drawn).await?;
                done.fetch_add(1, Ordering::Relaxed);
            }
            anyhow::Ok(())
        });
    }
    tokio::time::sleep(length).await;
    is_over.store(true, Ordering::Relaxed);
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    Ok(done.load(Ordering::Relaxed) as f64 / begun.elapsed().as_secs_f64())
}

/// Gives each of them a few items, and returns their schemas.
async fn furnish(database: &Scratch, slugs: &[String]) -> Result<Vec<String>> {
    let mut connection = database.connect().await;
    let mut schemas = Vec::with_capacity(slugs.len());
    for slug in slugs {
        let schema: String =
            sqlx::query_scalar("SELECT schema_name FROM platform.tenant WHERE slug = $1")
                .bind(slug)
                .fetch_one(&mut connection)
                .await?;
        let insert = format!(
            "INSERT INTO {schema}.item (id, sku, name, base_unit, status,
                 created_at, updated_at)
             SELECT gen_random_uuid(), 'B-' || n, 'Brick ' || n, 'pcs', 'active', now(), now()
             FROM generate_series(1, 20) n
             ON CONFLICT DO NOTHING"
        );
        connection.execute(AssertSqlSafe(insert)).await?;
        schemas.push(schema);
    }
    Ok(schemas)
}
