//! What backends remember of their tenants.

use std::sync::Arc;

use anyhow::{Context, Result};
use tests::Scratch;
use tokio::task::JoinSet;

use super::Visit;
use super::ours::Ours;
use super::single_pool::{self, SinglePool};
use crate::fleet::Fleet;
use crate::price_list::Random;
use crate::say;
use crate::table::{Table, Target};

/// How often each tenant comes by.
const VISITS: usize = 16;
const WORKERS: usize = 8;

/// Looks at every table and every index of a tenant.
const TOUCH_ALL: &str = "SELECT 1 FROM item i, item_barcode b, item_group g, member m, \
     refresh_token r, session s, setting t, unit u LIMIT 0";

/// Adds the row of a fleet all of whose tables are touched.
///
/// # Errors
///
/// When a transaction fails.
pub async fn measure(table: &mut Table, database: &Scratch, fleet: &Fleet) -> Result<()> {
    let slugs: Vec<_> = (0..fleet.size()).map(Fleet::slug).collect();
    let mut schemas = Vec::with_capacity(slugs.len());
    let mut connection = database.connect().await;
    for slug in &slugs {
        let schema = sqlx::query_scalar("SELECT schema_name FROM platform.tenant WHERE slug = $1")
            .bind(slug)
            .fetch_one(&mut connection)
            .await?;
        schemas.push(schema);
    }

    let ours = Arc::new(Ours::open(database, &slugs).await?);
    let connections = ours.connections();
    spread(&ours, slugs.len()).await?;
    let of_lanes = of_lanes(database).await?;
    drop(ours);
    let pool = Arc::new(SinglePool::open(database, schemas, connections).await?);
    spread(&pool, slugs.len()).await?;
    let of_pool = of_pool(database).await?;
    say(format!(
        "{} tenants came by {VISITS} times each, on {connections} connections",
        slugs.len()
    ));
    table.add(
        "backends' memory, all tables of all tenants",
        "MB",
        of_lanes,
        Some(of_pool),
        Target::RatioBelow(0.35),
    );
    Ok(())
}

/// Every tenant comes by several times, in no order.
async fn spread<V: Visit>(visitor: &Arc<V>, tenants: usize) -> Result<()> {
    let mut order: Vec<usize> = (0..tenants * VISITS).map(|turn| turn % tenants).collect();
    let mut random = Random::new(11);
    for place in (1..order.len()).rev() {
        order.swap(place, random.below(place as u64 + 1) as usize);
    }
    let mut tasks = JoinSet::new();
    for share in order.chunks(order.len().div_ceil(WORKERS)) {
        let (share, visitor) = (share.to_vec(), visitor.clone());
        tasks.spawn(async move {
            for tenant in share {
                visitor.run(tenant, TOUCH_ALL).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    Ok(())
}

/// Memory of the backends of all lanes, MB.
///
/// # Errors
///
/// Where there is no `/proc`.
pub async fn of_lanes(database: &Scratch) -> Result<f64> {
    of(database, "usename LIKE 'lane\\_%'").await
}

/// Memory of the backends of the single pool, MB.
///
/// # Errors
///
/// Where there is no `/proc`.
pub async fn of_pool(database: &Scratch) -> Result<f64> {
    of(
        database,
        &format!("application_name = '{}'", single_pool::NAME),
    )
    .await
}

async fn of(database: &Scratch, which: &str) -> Result<f64> {
    let pids =
        format!("SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND {which}");
    let pids: Vec<i32> = sqlx::query_scalar(sqlx::AssertSqlSafe(pids))
        .fetch_all(&mut database.connect().await)
        .await?;
    let mut kib = 0.0;
    for pid in pids {
        let path = format!("/proc/{pid}/status");
        let status = std::fs::read_to_string(&path)
            .with_context(|| format!("memory is read from {path}, which only Linux has"))?;
        // Its own memory: what all backends share is counted nowhere.
        let own: f64 = status
            .lines()
            .find_map(|line| line.strip_prefix("RssAnon:"))
            .and_then(|rest| rest.split_whitespace().next())
            .context("a process has memory of its own")?
            .parse()?;
        kib += own;
    }
    Ok(kib * 1024.0 / 1e6)
}
