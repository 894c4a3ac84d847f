//! Keeps the directory fresh: notifications tell what changed, a periodic reading mends what
//! they failed to tell.

use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use sqlx::postgres::{PgListener, PgNotification};
use uuid::Uuid;

use super::index::Index;
use super::{Directory, load};

/// Where the triggers of the directory's tables report: a tenant's id, or `*` for anything else.
const CHANNEL: &str = "tubex_directory";
/// Pause before the database is tried again.
const RETRY: Duration = Duration::from_millis(500);

/// What a batch of notifications asks for.
#[derive(Default)]
struct Changes {
    everything: bool,
    tenants: HashSet<Uuid>,
}

/// Never returns; a failure is logged and tried again.
pub(super) async fn run(directory: Arc<Directory>, reconcile: Duration) {
    loop {
        if let Err(error) = follow(&directory, reconcile).await {
            tracing::warn!(error = %error, "the directory can't be kept fresh, trying again");
            tokio::time::sleep(RETRY).await;
        }
    }
}

/// Listens first and reads then: what changes in between is heard.
async fn follow(directory: &Directory, reconcile: Duration) -> Result<(), anyhow::Error> {
    let mut listener = match directory.platform.listener().await {
        Ok(listener) => listener,
        Err(error) => {
            // A transaction pooler has no LISTEN; then the periodic reading is all there is.
            reload(directory).await?;
            return Err(error.into());
        }
    };
    listener.listen(CHANNEL).await?;
    reload(directory).await?;
    let mut timer = tokio::time::interval(reconcile);
    timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    timer.tick().await;
    loop {
        tokio::select! {
            heard = listener.try_recv() => match heard? {
                Some(first) => apply(directory, gather(&mut listener, &first)).await?,
                // The connection was lost and made anew: something may have been missed.
                None => reload(directory).await?,
            },
            _ = timer.tick() => reload(directory).await?,
        }
    }
}

/// Takes what else has already arrived, so that a thousand changes are one reading.
fn gather(listener: &mut PgListener, first: &PgNotification) -> Changes {
    let mut changes = Changes::default();
    changes.add(first.payload());
    while let Some(more) = listener.next_buffered() {
        changes.add(more.payload());
    }
    changes
}

impl Changes {
    fn add(&mut self, payload: &str) {
        match payload.parse() {
            Ok(id) => {
                self.tenants.insert(id);
            }
            Err(_) => self.everything = true,
        }
    }
}

async fn apply(directory: &Directory, changes: Changes) -> Result<(), anyhow::Error> {
    if changes.everything {
        return reload(directory).await;
    }
    let ids: Vec<Uuid> = changes.tenants.into_iter().collect();
    let rows = directory
        .platform
        .read(async |tx| load::by_ids(tx, &ids).await)
        .await?;
    if rows
        .iter()
        .any(|row| directory.lanes.pool(row.lane_id).is_none())
    {
        return reload(directory).await;
    }
    {
        let mut index = directory
            .index
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        for id in ids
            .iter()
            .filter(|id| !rows.iter().any(|row| row.id == **id))
        {
            index.remove(*id);
        }
    }
    directory.put(rows);
    Ok(())
}

/// Reads everything and swaps it in.
async fn reload(directory: &Directory) -> Result<(), anyhow::Error> {
    let (rows, lanes) = directory
        .platform
        .read(async |tx| Ok::<_, sea_orm::DbErr>((load::all(tx).await?, load::lanes(tx).await?)))
        .await?;
    directory.lanes.replace(lanes);
    let mut fresh = Index::default();
    for tenant in rows.into_iter().filter_map(load::TenantRow::into_tenant) {
        fresh.put(tenant);
    }
    *directory
        .index
        .write()
        .unwrap_or_else(PoisonError::into_inner) = fresh;
    directory.unknown.invalidate_all();
    directory.loaded.store(true, Ordering::Release);
    Ok(())
}
