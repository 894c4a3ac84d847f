//! No dealer is served before the walls were seen to stand.

use std::time::Duration;

use tokio::sync::watch;

use super::report::{Check, Outcome, Proof, Report};
use super::{Unreachable, examine};
use crate::config::Database;
use crate::kernel::Clock;

/// The pause before the next try; it doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Whether dealers may be served. It opens once and stays open.
#[derive(Debug)]
pub struct Admission(watch::Sender<bool>);

impl Admission {
    /// Closed.
    pub fn new() -> Self {
        Self(watch::Sender::new(false))
    }

    /// Whether the walls were seen to stand.
    pub fn is_open(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until they were.
    pub async fn opened(&self) {
        // The sender lives as long as we do.
        let _ = self.0.subscribe().wait_for(|is_open| *is_open).await;
    }

    fn open(&self) {
        self.0.send_replace(true);
    }
}

impl Default for Admission {
    fn default() -> Self {
        Self::new()
    }
}

/// A server that must not serve.
#[derive(Debug, thiserror::Error)]
#[error("refusing to serve: {0}; `server doctor` tells all of it")]
pub struct Refused(String);

impl Refused {
    fn because(checks: &[&Check]) -> Self {
        let told = checks
            .iter()
            .map(|check| format!("{}: {}", check.name, check.detail));
        Self(told.collect::<Vec<_>>().join("; "))
    }
}

/// Examines until everything was looked at and stands, and opens the admission. A database that
/// isn't there is asked again, so a server may start before it. Ends only with a refusal, which takes
/// two looks: a dealer that is being moved between lanes of another node is on both for a moment.
pub async fn admit(config: &Database, clock: &Clock, admission: &Admission) -> Refused {
    let mut pause = FIRST_PAUSE;
    let mut last_told = String::new();
    let mut was_refused = false;
    loop {
        let examined = examine(config, clock).await;
        // The same again at every try would only hide the rest of the log.
        let told = summary(&examined);
        if told != last_told {
            tell(&examined);
            last_told = told;
        }
        if let Ok(report) = &examined {
            let refusals = report.refusals();
            if !refusals.is_empty() && was_refused {
                return Refused::because(&refusals);
            }
            was_refused = !refusals.is_empty();
            if !was_refused {
                if report.proof() > Proof::Lacking && !admission.is_open() {
                    admission.open();
                    tracing::info!("the walls between dealers stand, dealers are served");
                }
                if report.proof() == Proof::Whole {
                    return std::future::pending().await;
                }
            }
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

fn summary(examined: &Result<Report, Unreachable>) -> String {
    match examined {
        Ok(report) => report
            .checks
            .iter()
            .filter(|check| check.outcome == Outcome::Failed)
            .map(|check| check.detail.as_str())
            .collect::<Vec<_>>()
            .join("; "),
        Err(error) => error.to_string(),
    }
}

fn tell(examined: &Result<Report, Unreachable>) {
    let report = match examined {
        Ok(report) => report,
        Err(error) => {
            tracing::warn!(error = %error, "the walls can't be examined yet, trying again");
            return;
        }
    };
    for check in &report.checks {
        let (name, detail) = (check.name, check.detail.as_str());
        let remedy = check.remedy.as_deref();
        match check.outcome {
            Outcome::Ok => tracing::debug!(check = name, detail, "a check passed"),
            Outcome::Warning => tracing::warn!(check = name, detail, remedy, "a check warns"),
            Outcome::Failed => tracing::error!(check = name, detail, remedy, "a check failed"),
        }
    }
}
