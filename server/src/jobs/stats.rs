//! What a worker has done, in numbers.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ended {
    /// Well.
    Done,
    /// It was not its turn.
    Later,
    /// It failed and will be tried again.
    Retry,
    /// It failed and is a dead letter.
    Dead,
    /// Somebody else had it.
    Lost,
}

impl Ended {
    /// As metrics say it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Later => "later",
            Self::Retry => "retry",
            Self::Dead => "dead",
            Self::Lost => "lost",
        }
    }
}

/// Attempts of one kind of job that ended in one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KindStats {
    /// The kind; `unknown` for those that this build has not.
    pub kind: &'static str,
    /// How they ended.
    pub ended: Ended,
    /// How many.
    pub count: u64,
    /// How long they took in all.
    pub busy: Duration,
    /// How long they had waited in all.
    pub waited: Duration,
}

/// Counts attempts.
#[derive(Debug, Default)]
pub(super) struct Stats(Mutex<HashMap<(&'static str, Ended), (u64, Duration, Duration)>>);

impl Stats {
    pub(super) fn count(&self, kind: &'static str, ended: Ended, busy: Duration, waited: Duration) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = counts.entry((kind, ended)).or_default();
        entry.0 += 1;
        entry.1 += busy;
        entry.2 += waited;
    }

    pub(super) fn all(&self) -> Vec<KindStats> {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<_> = counts
            .iter()
            .map(|(&(kind, ended), &(count, busy, waited))| KindStats {
                kind,
                ended,
                count,
                busy,
                waited,
            })
            .collect();
        all.sort_by_key(|it| (it.kind, it.ended.as_str()));
        all
    }
}
