//! The jobs that this worker has under way, and whose leases it extends.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;
use uuid::Uuid;

use super::settle::Claim;

/// Jobs under way on one node.
#[derive(Debug, Default)]
pub(super) struct Running(Mutex<HashMap<Uuid, (Claim, watch::Sender<bool>)>>);

impl Running {
    /// One more. What is handed back turns true when the job is lost.
    pub(super) fn begin(&self, claim: Claim) -> watch::Receiver<bool> {
        let (lost, hears) = watch::channel(false);
        self.lock().insert(claim.id, (claim, lost));
        hears
    }

    /// One less.
    pub(super) fn end(&self, claim: Claim) {
        let mut running = self.lock();
        if running
            .get(&claim.id)
            .is_some_and(|(ours, _)| *ours == claim)
        {
            running.remove(&claim.id);
        }
    }

    pub(super) fn claims(&self) -> Vec<Claim> {
        self.lock().values().map(|(claim, _)| *claim).collect()
    }

    /// These are somebody else's by now.
    pub(super) fn lose(&self, ids: &[Uuid]) {
        for id in ids {
            if let Some((_, lost)) = self.lock().get(id) {
                lost.send_replace(true);
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Uuid, (Claim, watch::Sender<bool>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
