//! What a worker has done, and what waits, in numbers.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Upper bounds of the classes that times fall in, milliseconds; the last class has none.
const CLASSES: [u64; 12] = [
    10, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 300_000,
];

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
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

/// Times of one thing, in classes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Times {
    /// All of them together.
    pub sum: Duration,
    /// How many.
    pub count: u64,
    classes: [u64; CLASSES.len() + 1],
}

impl Times {
    fn add(&mut self, took: Duration) {
        let class = CLASSES
            .iter()
            .position(|most| took.as_millis() <= u128::from(*most));
        self.classes[class.unwrap_or(CLASSES.len())] += 1;
        self.sum += took;
        self.count += 1;
    }

    /// How many fell in each class, beside its upper bound; the last has none.
    pub fn classes(&self) -> impl Iterator<Item = (Option<Duration>, u64)> {
        let bounds = CLASSES
            .iter()
            .map(|most| Some(Duration::from_millis(*most)));
        bounds.chain([None]).zip(self.classes)
    }
}

/// Attempts of one kind of job.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KindStats {
    /// How they ended.
    pub ended: BTreeMap<Ended, u64>,
    /// How long they took.
    pub busy: Times,
    /// How long they had been ready before.
    pub waited: Times,
}

/// Jobs of one node's queue in one state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Depth {
    /// The queue.
    pub queue: String,
    /// The state.
    pub state: String,
    /// How many there are.
    pub jobs: u64,
    /// How long the one has been due that was due first.
    pub oldest: Duration,
}

/// What a worker has done, and what it last saw waiting on each node.
#[derive(Debug, Default)]
pub struct Stats {
    kinds: Mutex<HashMap<&'static str, KindStats>>,
    depths: Mutex<BTreeMap<String, Vec<Depth>>>,
}

impl Stats {
    pub(super) fn count(&self, kind: &'static str, ended: Ended, busy: Duration, waited: Duration) {
        let mut kinds = self.kinds.lock().unwrap_or_else(PoisonError::into_inner);
        let stats = kinds.entry(kind).or_default();
        *stats.ended.entry(ended).or_default() += 1;
        stats.busy.add(busy);
        stats.waited.add(waited);
    }

    pub(super) fn saw(&self, node: &str, depths: Vec<Depth>) {
        let mut all = self.depths.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(node.to_owned(), depths);
    }

    /// Attempts by kind; `unknown` for those that this build has not.
    pub fn kinds(&self) -> Vec<(&'static str, KindStats)> {
        let kinds = self.kinds.lock().unwrap_or_else(PoisonError::into_inner);
        let mut kinds: Vec<_> = kinds.iter().map(|(kind, it)| (*kind, it.clone())).collect();
        kinds.sort_by_key(|(kind, _)| *kind);
        kinds
    }

    /// What waited on each node, when this process looked last. One that does no background work
    /// never looks.
    pub fn depths(&self) -> BTreeMap<String, Vec<Depth>> {
        let depths = self.depths.lock().unwrap_or_else(PoisonError::into_inner);
        depths.clone()
    }
}
