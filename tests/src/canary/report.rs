//! What came of the traffic.

use std::fmt;
use std::sync::{Mutex, PoisonError};

/// So many findings are told in full; the rest is counted.
const TOLD: usize = 20;

/// Counts, and what must not have happened.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// What the requests followed from.
    pub seed: u64,
    /// Requests that were answered as expected.
    pub answered: u64,
    /// Requests that were told to come back, as is documented.
    pub refused_for_now: u64,
    /// Requests that their client gave up.
    pub broken_off: u64,
    /// Requests to a server that was being stopped, and so had no answer.
    pub unreachable: u64,
    /// Requests to a dealer who was shut at that moment.
    pub shut_out: u64,
    /// What was done to disturb, by name.
    pub disturbances: Vec<(String, u64)>,
    /// Breaches: foreign markers, unexpected answers.
    pub findings: Vec<String>,
    /// Further breaches, not told.
    pub untold: u64,
}

impl Report {
    /// All requests.
    pub fn requests(&self) -> u64 {
        self.answered + self.refused_for_now + self.broken_off + self.unreachable + self.shut_out
    }

    /// Adds a breach.
    pub fn find(&mut self, what: impl Into<String>) {
        if self.findings.len() < TOLD {
            self.findings.push(what.into());
        } else {
            self.untold += 1;
        }
    }

    /// Whether nothing happened that must not.
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    /// Itself, if nothing happened that must not.
    ///
    /// # Panics
    ///
    /// When something did.
    #[track_caller]
    pub fn expect_clean(self) -> Self {
        assert!(self.is_clean(), "{self}");
        self
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "seed {}: {} requests, {} answered, {} refused for now, {} broken off, \
             {} without an answer while a server was down, {} at a shut dealer's",
            self.seed,
            self.requests(),
            self.answered,
            self.refused_for_now,
            self.broken_off,
            self.unreachable,
            self.shut_out
        )?;
        for (name, times) in &self.disturbances {
            write!(f, "; {times} × {name}")?;
        }
        let count = self.findings.len() as u64 + self.untold;
        write!(f, "; {count} findings")?;
        for finding in &self.findings {
            write!(f, "\n  {finding}")?;
        }
        Ok(())
    }
}

/// A report that many write to.
#[derive(Debug, Default)]
pub(super) struct Ledger(Mutex<Report>);

impl Ledger {
    pub(super) fn of(seed: u64) -> Self {
        Self(Mutex::new(Report {
            seed,
            ..Report::default()
        }))
    }

    pub(super) fn write(&self, note: impl FnOnce(&mut Report)) {
        note(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub(super) fn read(&self) -> Report {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
