//! Works on migration runs beside serving, together with whoever else does. All that is to be
//! known stands in the run's rows, so that a process may come and go.

use std::time::Duration;

use provisioner::fleet::RunState;
use provisioner::{RunError, WorkOptions};

use crate::platform::Platform;

/// How often somebody looks for a run, unless the bell rings.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Connections to tenants; more than there are cores do not help, and dealers are served beside.
const CONNECTIONS: u16 = 2;

/// Takes part in whatever run is under way, until the process winds up.
pub(in crate::platform) async fn work(platform: &Platform) {
    let mut closing = platform.closing.subscribe();
    let mut is_well = true;
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = platform.bell.notified() => {}
            _ = closing.wait_for(|is_closing| *is_closing) => return,
        }
        match take_part(platform).await {
            Ok(()) => is_well = true,
            // Once, until it goes again: the platform may be away for long.
            Err(error) if is_well => {
                tracing::warn!(error = %chain(&error), "migration runs can't be worked on for now");
                is_well = false;
            }
            Err(_) => {}
        }
    }
}

async fn take_part(platform: &Platform) -> Result<(), RunError> {
    let library = platform.db.worker();
    let unfinished = library.unfinished_run().await?;
    let Some(run) = unfinished.filter(|run| run.state == RunState::Running) else {
        return Ok(());
    };
    tracing::info!(run.id = %run.id, "taking part in a migration run");
    let options = WorkOptions {
        connections: CONNECTIONS,
        events: None,
        stop: platform.closing.subscribe(),
    };
    let run = library.work(run.id, options).await?;
    tracing::info!(
        run.id = %run.id,
        run.state = ?run.state,
        run.done = run.counts.done,
        run.failed = run.counts.failed + run.counts.quarantined,
        "took part in a migration run"
    );
    Ok(())
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
