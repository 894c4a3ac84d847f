//! What this process tells the platform of itself: that it is there, which versions of a dealer's
//! schema its code knows and needs, and what dealers asked of it. Nothing waits for it: a platform
//! that can't be told is told later.

mod telling;

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;
use uuid::Uuid;

use crate::db::PlatformDb;
use crate::metrics::Metrics;

/// How often it says that it is there.
const ALIVE: Duration = Duration::from_secs(15);
/// How long taking leave may take.
const LEAVE: Duration = Duration::from_secs(2);

/// Tells the platform of this process until it is told to leave.
#[derive(Debug)]
pub struct Presence {
    id: Uuid,
    platform: PlatformDb,
    task: JoinHandle<()>,
}

impl Presence {
    /// Begins to tell, once `served` says that dealers are served: a process that isn't let in
    /// stands in nobody's way.
    pub fn start(
        platform: PlatformDb,
        metrics: Arc<Metrics>,
        traffic_every: Duration,
        served: impl Future<Output = ()> + Send + 'static,
    ) -> Self {
        let id = Uuid::now_v7();
        let db = platform.clone();
        let task = tokio::spawn(async move {
            served.await;
            tell(id, &db, &metrics, traffic_every).await;
        });
        Self { id, platform, task }
    }

    /// Says that this process is gone. One that can't be heard is forgotten after a while.
    pub async fn leave(self) {
        self.task.abort();
        // What it was just saying must not come after the farewell.
        let _ended = self.task.await;
        let farewell = telling::gone(&self.platform, self.id);
        match tokio::time::timeout(LEAVE, farewell).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::info!(error = %error, "the platform was not told that this process ends");
            }
            Err(_) => tracing::info!("the platform did not hear in time that this process ends"),
        }
    }
}

async fn tell(id: Uuid, platform: &PlatformDb, metrics: &Metrics, traffic_every: Duration) {
    let mut alive = tokio::time::interval(ALIVE);
    let mut traffic = tokio::time::interval(traffic_every);
    for timer in [&mut alive, &mut traffic] {
        timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
    }
    let mut is_heard = true;
    loop {
        let told = tokio::select! {
            // First that it is there: traffic belongs to a process.
            biased;
            _ = alive.tick() => telling::alive(platform, id).await,
            _ = traffic.tick() => telling::traffic(platform, id, metrics.window()).await,
        };
        match told {
            Ok(()) if !is_heard => {
                tracing::info!("the platform hears of this process again");
                is_heard = true;
            }
            // Once: whatever is wrong, others log it, too.
            Err(error) if is_heard => {
                tracing::warn!(error = %error, "the platform can't be told of this process");
                is_heard = false;
            }
            Ok(()) | Err(_) => {}
        }
    }
}
