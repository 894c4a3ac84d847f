//! What a rehearsal says.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::pick::Candidate;
use super::predict::Prediction;
use super::take::Taken;

/// What a rehearsal came to.
#[derive(Clone, Debug)]
pub enum Rehearsal {
    /// Nobody is behind.
    Nothing {
        /// Where to.
        target: String,
    },
    /// It was held.
    Held(Box<Rehearsed>),
}

/// A rehearsal that was held.
#[derive(Clone, Debug, Serialize)]
pub struct Rehearsed {
    /// Under which it is kept.
    pub id: Uuid,
    /// Where to.
    pub target_version: String,
    /// Where those stood who are behind, oldest first.
    pub from_versions: Vec<String>,
    /// How many are behind, spares among them.
    pub pending: usize,
    /// Whom it was held with, and what came of it.
    pub tenants: Vec<RehearsedTenant>,
    /// What is to be expected of the run; nothing, where no clone came through.
    pub prediction: Option<Prediction>,
    /// What a reader should know.
    pub notes: Vec<String>,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}

/// What came of a clone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It stands where it should and looks as it should.
    Done,
    /// A run would fail here.
    Failed,
    /// There was no clone, or no time.
    NotRehearsed,
}

/// A tenant that was rehearsed with.
#[derive(Clone, Debug, Serialize)]
pub struct RehearsedTenant {
    /// The tenant.
    pub id: Uuid,
    /// What people type.
    pub slug: String,
    /// Where it stands.
    pub from_version: String,
    /// Why it was chosen.
    pub why: String,
    /// Its tables and indexes.
    pub bytes: i64,
    /// Rows that were copied.
    pub rows: u64,
    /// What came of it.
    pub outcome: Outcome,
    /// How long the way took, in microseconds.
    pub duration_us: u64,
    /// How long locks were held that requests wait for, in microseconds.
    pub locked_us: u64,
    /// On which tables and indexes.
    pub locked: BTreeSet<String>,
    /// Messages that took such a lock.
    pub locking_messages: u32,
    /// What went wrong: `sqlstate`, `message`, `statement`, `hint`, or `difference`.
    pub error: Option<Value>,
}

impl Rehearsed {
    /// Whether a run would fail somewhere.
    pub fn has_failed(&self) -> bool {
        let mut tenants = self.tenants.iter();
        tenants.any(|tenant| tenant.outcome == Outcome::Failed)
    }
}

/// What is said of somebody who was not rehearsed with.
pub(super) fn untouched(candidate: &Candidate, why: String) -> RehearsedTenant {
    let taken = Taken {
        is_cut: true,
        ..Taken::default()
    };
    told(candidate, why, 0, taken)
}

/// What is said of somebody who was.
pub(super) fn told(candidate: &Candidate, why: String, rows: u64, taken: Taken) -> RehearsedTenant {
    let outcome = match (&taken.error, taken.is_cut) {
        (Some(_), _) => Outcome::Failed,
        (None, true) => Outcome::NotRehearsed,
        (None, false) => Outcome::Done,
    };
    RehearsedTenant {
        id: candidate.id,
        slug: candidate.slug.clone(),
        from_version: candidate.version.clone(),
        why,
        bytes: candidate.bytes,
        rows,
        outcome,
        duration_us: micros(taken.duration),
        locked_us: micros(taken.locked),
        locked: taken.relations,
        locking_messages: taken.locking_messages,
        error: taken.error,
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
