//! Kinds of jobs: what each carries, and how it is treated.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A kind of job; the value is what one carries. Small: what is large lies in the tenant's rows or in
/// storage, and the job says where.
pub trait Job: Serialize + DeserializeOwned + Send + 'static {
    /// Its name, `thing.verb`.
    const KIND: &'static str;
    /// The version of what it carries. Grows when an older worker could not read it.
    const VERSION: i16 = 1;
    /// Where it queues.
    const QUEUE: Queue = Queue::Quick;
    /// What becomes of it when it fails.
    const RETRY: Retry = Retry::DEFAULT;
    /// How long one attempt may take.
    const TIMEOUT: Duration = Duration::from_secs(60);
    /// How long it is kept after it was done, for people who ask what became of it.
    const KEPT: Duration = Duration::ZERO;

    /// Whose rows it opens.
    const OPENS: Opens = Opens::Served;

    /// Makes what an older version carried into what this one does; nothing when it can't.
    fn upgrade(version: i16, payload: Value) -> Option<Value> {
        let _ = (version, payload);
        None
    }
}

/// Whose rows a kind of job opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opens {
    /// Those of tenants that are served; others' jobs wait.
    Served,
    /// Also those of tenants that are suspended or closing.
    Kept,
}

/// Where a job queues: short ones don't wait behind long ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Queue {
    /// Work of a moment: a message, a delivery.
    Quick,
    /// Work that takes seconds or minutes: an import, an export.
    Bulk,
}

impl Queue {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Quick, Self::Bulk];

    /// As the database has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Quick => "quick",
            Self::Bulk => "bulk",
        }
    }
}

/// What becomes of a job that fails: it is tried again after a while that doubles each time, at
/// random below that, so that many don't come back at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// How often it is tried in all.
    pub attempts: i32,
    /// The longest wait after the first failure.
    pub first: Duration,
    /// The longest wait of all.
    pub most: Duration,
}

impl Retry {
    /// Twelve attempts over about three quarters of an hour.
    pub const DEFAULT: Self = Self {
        attempts: 12,
        first: Duration::from_secs(2),
        most: Duration::from_secs(600),
    };
}
