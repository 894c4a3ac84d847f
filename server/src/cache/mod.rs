//! What was looked up once is remembered on two levels: in this process, and in Redis for all of
//! them.
//!
//! Invariants: every name holds the dealer and its access epoch, so that one change makes all of
//! them nobody's; what lies in Redis is sealed for its name, so that whoever can write there can't
//! say anything; without Redis all answers are the same, and come from the database.

mod metrics;
mod remembered;
mod shared;

pub(crate) use metrics::CacheCollector;
pub use remembered::{Place, Remembered};

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::kernel::Sealer;
use crate::redis::Redis;

/// Makes caches, and counts where their answers come from. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Caches {
    redis: Redis,
    sealer: Sealer,
    counts: Arc<Mutex<Vec<Arc<Counts>>>>,
}

/// Where the answers of one cache came from.
#[derive(Debug)]
struct Counts {
    what: &'static str,
    /// Remembered in this process.
    process: AtomicU64,
    /// Somebody else here was asking the same already.
    joined: AtomicU64,
    redis: AtomicU64,
    database: AtomicU64,
}

impl Caches {
    /// Caches whose second level is this Redis, if there is one.
    pub fn new(redis: Redis, sealer: Sealer) -> Self {
        Self {
            redis,
            sealer,
            counts: Arc::default(),
        }
    }

    fn counts_of(&self, what: &'static str) -> Arc<Counts> {
        let counts = Arc::new(Counts {
            what,
            process: AtomicU64::new(0),
            joined: AtomicU64::new(0),
            redis: AtomicU64::new(0),
            database: AtomicU64::new(0),
        });
        let mut all = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(counts.clone());
        counts
    }
}

impl Counts {
    /// Each source with its count.
    fn by_source(&self) -> [(&'static str, u64); 4] {
        [
            ("process", &self.process),
            ("joined", &self.joined),
            ("redis", &self.redis),
            ("database", &self.database),
        ]
        .map(|(source, count)| (source, count.load(Ordering::Relaxed)))
    }
}
