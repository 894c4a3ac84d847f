//! Background work that goes round all dealers. Every step may run twice, and on several
//! processes at once.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::MissedTickBehavior;

use crate::auth::{self, SweepReport};
use crate::state::AppState;

/// How soon the directory is looked at again before it was first read.
const NOT_READ_YET: Duration = Duration::from_millis(100);

/// How long a token that has expired is kept.
const ONE_TIME_KEPT: time::Duration = time::Duration::DAY;

/// Sweeps out ended sessions every so often, until it is dropped. The first round waits for the
/// directory: without it there is nobody to go round to, and the next is an hour away.
pub async fn run(state: Arc<AppState>) {
    while !state.directory.is_loaded() {
        tokio::time::sleep(NOT_READ_YET).await;
    }
    let mut timer = tokio::time::interval(Duration::from_secs(state.config.worker.sweep_seconds));
    timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        timer.tick().await;
        sweep(&state).await;
    }
}

/// Goes round once. A dealer that fails doesn't stop the others.
pub async fn sweep(state: &AppState) -> SweepReport {
    let now = state.clock.now();
    let kept = time::Duration::days(state.config.worker.session_retention_days.into());
    let mut total = SweepReport {
        sessions: 0,
        refresh_tokens: 0,
    };
    for tenant in state.directory.all() {
        let Ok(db) = state.directory.enter(&tenant) else {
            continue;
        };
        match db
            .write(async |tx| {
                auth::one_time::sweep(tx, now - ONE_TIME_KEPT).await?;
                auth::sweep(tx, now - kept, now).await
            })
            .await
        {
            Ok(report) => {
                total.sessions += report.sessions;
                total.refresh_tokens += report.refresh_tokens;
            }
            Err(error) => tracing::error!(
                tenant.id = %tenant.key(),
                error = ?error,
                "ended sessions could not be swept out"
            ),
        }
    }
    tracing::info!(
        sessions = total.sessions,
        refresh_tokens = total.refresh_tokens,
        "ended sessions were swept out"
    );
    total
}
