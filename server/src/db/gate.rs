//! How many transactions of one dealer may be under way at once, so that a busy dealer leaves
//! connections to its neighbours on the lane.

use std::sync::Arc;
use std::time::Duration;

use sea_orm::DbErr;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::failure::too_busy;

/// What a dealer may use: its plan's limits, or the configured ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::db) struct Limits {
    /// Transactions at once, in this process.
    pub(in crate::db) concurrency: u32,
    /// Longest time one statement may run, milliseconds.
    pub(in crate::db) statement_timeout_ms: u64,
    /// Longest time a transaction may lie idle between two statements, milliseconds.
    pub(in crate::db) idle_in_transaction_timeout_ms: u64,
}

/// A dealer's own bound. It outlives readings of the directory.
#[derive(Debug)]
pub(in crate::db) struct Gate {
    places: Arc<Semaphore>,
    size: u32,
}

/// A place within the bound; it is free again when this is dropped.
pub(in crate::db) type Place = OwnedSemaphorePermit;

impl Gate {
    pub(in crate::db) fn new(size: u32) -> Self {
        let places = usize::try_from(size).unwrap_or(usize::MAX);
        Self {
            places: Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS))),
            size,
        }
    }

    /// How many may be within.
    pub(in crate::db) fn size(&self) -> u32 {
        self.size
    }

    /// Waits for a place, but not for long: a queue that only grows helps nobody.
    ///
    /// # Errors
    ///
    /// [`too_busy`] when none became free in time.
    pub(in crate::db) async fn enter(&self, patience: Duration) -> Result<Place, DbErr> {
        if let Ok(place) = self.places.clone().try_acquire_owned() {
            return Ok(place);
        }
        let waiting = self.places.clone().acquire_owned();
        match tokio::time::timeout(patience, waiting).await {
            Ok(Ok(place)) => Ok(place),
            Ok(Err(_)) | Err(_) => Err(too_busy()),
        }
    }
}
