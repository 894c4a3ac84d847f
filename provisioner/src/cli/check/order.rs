//! What the process that runs migrations is told, and what it tells back. Both go through pipes:
//! addresses hold passwords, and everybody on the machine can read a command line.

use std::time::Duration;

use provisioner::Product as _;
use provisioner::check::{CheckOptions, Part, ScratchAt, ScratchName};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::CheckArgs;
use crate::cli::dealers::Dealers;

/// All that it needs to know.
#[derive(Serialize, Deserialize)]
pub(super) struct Order {
    /// Begins each line that is meant for us: a migration may print what it likes.
    pub(super) token: String,
    pub(super) place: Place,
    fleet: Option<String>,
    parts: Vec<String>,
    since: Option<String>,
    timeout_s: u64,
    rows: u32,
    seed: u64,
    /// Whether a failure is said in JSON.
    pub(super) json: bool,
}

/// Where migrations are tried: see [`ScratchAt`].
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Place {
    Made { server: String, name: String },
    Given(String),
}

/// What is told back, each on a line of its own.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Event {
    /// This migration's code runs from now on.
    Began(String),
    /// It ran to its end, well or not.
    Ended(String),
    /// All was looked at: a report, as JSON.
    Report(String),
    /// It could not be done; why was said already.
    Stuck,
}

impl Order {
    pub(super) fn new(args: &CheckArgs, place: Place, parts: &[Part], json: bool) -> Self {
        let fleet = args.fleet_url.as_ref();
        Self {
            token: Uuid::new_v4().simple().to_string(),
            place,
            fleet: fleet.map(|url| secrecy::ExposeSecret::expose_secret(url).to_owned()),
            parts: parts.iter().map(|part| part.name().to_owned()).collect(),
            since: args.since.clone(),
            timeout_s: args.timeout,
            rows: args.rows,
            seed: args.seed,
            json,
        }
    }

    pub(super) fn scratch(&self) -> ScratchAt {
        match &self.place {
            Place::Made { server, name } => ScratchAt::Made {
                server: server.as_str().into(),
                name: ScratchName::parse(name).unwrap_or_else(ScratchName::generate),
            },
            Place::Given(url) => ScratchAt::Given {
                database: url.as_str().into(),
            },
        }
    }

    pub(super) fn fleet(&self) -> Option<SecretString> {
        self.fleet.as_deref().map(SecretString::from)
    }

    pub(super) fn parts(&self) -> Vec<Part> {
        let is_asked = |part: &Part| self.parts.iter().any(|name| name == part.name());
        Part::ALL.into_iter().filter(is_asked).collect()
    }

    pub(super) fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_s)
    }

    pub(super) fn options(&self) -> CheckOptions {
        CheckOptions {
            parts: self.parts().into_iter().collect(),
            since: self.since.clone(),
            timeout: self.timeout(),
            rows: usize::try_from(self.rows).expect("32 bits fit"),
            seed: self.seed,
        }
    }
}

/// Where a migration is written, if it says so.
pub(super) fn written(migration: &str) -> Option<(String, Option<u32>)> {
    Some((Dealers.declared(migration)?.written?, None))
}

#[cfg(test)]
impl Order {
    pub(super) fn example(place: Place) -> Self {
        Self {
            token: "token".to_owned(),
            place,
            fleet: None,
            parts: vec!["kind".to_owned(), "entities".to_owned()],
            since: None,
            timeout_s: 1,
            rows: 1,
            seed: 1,
            json: false,
        }
    }
}
