//! What the directory tells whoever measures.

use std::collections::HashMap;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use sea_orm::DbErr;

use super::{Directory, TenantStatus, load};
use crate::db::platform::PlatformDb;
use crate::db::stats::LaneStats;
use crate::kernel::TenantKey;

impl Directory {
    /// How long ago the database was last asked, and answered.
    pub fn age(&self) -> Option<Duration> {
        let fresh_at = *self.fresh_at.lock().unwrap_or_else(PoisonError::into_inner);
        fresh_at.map(|at| at.elapsed())
    }

    /// The database has just answered.
    pub(super) fn is_fresh(&self) {
        *self.fresh_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// How many tenants there are of each schema version and status.
    pub fn census(&self) -> Vec<((String, TenantStatus), u64)> {
        let mut counts = HashMap::new();
        for tenant in self.read_index().iter() {
            let kind = (tenant.schema_version.clone(), tenant.status);
            *counts.entry(kind).or_insert(0) += 1;
        }
        counts.into_iter().collect()
    }

    /// Every tenant's key.
    pub fn keys(&self) -> Vec<TenantKey> {
        self.read_index().iter().map(|it| it.key()).collect()
    }

    /// Runs the queries that fill the directory and keeps nothing of them: do the platform's
    /// tables look the way this build reads them?
    ///
    /// # Errors
    ///
    /// When one of them fails.
    pub async fn try_queries(platform: &PlatformDb) -> Result<(), DbErr> {
        platform
            .read(async |tx| {
                let seen = load::seen(tx).await?;
                load::changes(tx, &seen).await?;
                load::all(tx).await?;
                load::lanes(tx).await?;
                Ok(())
            })
            .await
    }

    /// Every lane of this process.
    pub fn lane_stats(&self) -> Vec<LaneStats> {
        let lanes = self.lanes.all();
        let stats = lanes.iter().map(|lane| {
            let pool = lane.pool.stats();
            LaneStats {
                lane: lane.described.login_role.clone(),
                node: lane.described.node.clone(),
                width: u32::try_from(lane.pool.width()).unwrap_or(u32::MAX),
                open: pool.open,
                in_use: pool.in_use,
                waiting: pool.waiting,
                acquired: pool.acquired,
                waited_seconds: pool.waited.as_secs_f64(),
                wait_buckets: pool
                    .wait_buckets
                    .iter()
                    .map(|(bound, waits)| (bound.as_secs_f64(), *waits))
                    .collect(),
                timed_out: pool.timed_out,
                refused_by_cap: lane.refused_by_cap(),
                recycled: pool.recycled,
                statement_hits: pool.statement_hits,
                statement_misses: pool.statement_misses,
                statements_cached: pool.statements_cached,
            }
        });
        stats.collect()
    }
}
