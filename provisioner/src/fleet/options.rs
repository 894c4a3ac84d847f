//! How to go about a run.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::selector::Selector;

/// How to go about a run. It is kept with the run, so that whoever works on it later keeps to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunOptions {
    /// Where to; the newest migration of this build if it isn't said.
    pub to: Option<String>,
    /// Only these.
    pub only: Selector,
    /// Who goes first.
    pub canary: Option<Canary>,
    /// After the canaries: up to which percentage of all each wave goes, rising; the last is 100.
    pub waves: Vec<u8>,
    /// Whether somebody has to say so before the next wave.
    pub approve: bool,
    /// How long a wave that is over is watched before it is judged, in seconds.
    pub watch_seconds: u32,
    /// How many may fail before the run halts.
    pub max_failures: MaxFailures,
    /// How long a statement may wait for a lock, in milliseconds. Short, because requests that
    /// come after queue up behind it.
    pub lock_timeout_ms: u32,
    /// How long one statement may run, in milliseconds.
    pub statement_timeout_ms: u32,
    /// How often a tenant is tried again whose locks are not to be had.
    pub attempts: u32,
    /// Rows of one batch of a back-fill.
    pub batch_rows: u32,
    /// Goes on although a live server needs what a contract takes away. Said in the log.
    pub force: bool,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            to: None,
            only: Selector::default(),
            canary: None,
            waves: vec![100],
            approve: false,
            watch_seconds: 0,
            max_failures: MaxFailures::Percent(5),
            lock_timeout_ms: 200,
            statement_timeout_ms: 600_000,
            attempts: 12,
            batch_rows: 5_000,
            force: false,
        }
    }
}

impl RunOptions {
    /// Refuses what makes no sense.
    ///
    /// # Errors
    ///
    /// What is wrong, and what would be right.
    pub fn check(&self) -> Result<(), String> {
        let rises = self.waves.windows(2).all(|pair| pair[0] < pair[1]);
        if !rises || self.waves.last() != Some(&100) || self.waves.first() == Some(&0) {
            return Err("waves are rising percentages that end with 100, as in 10,50,100".into());
        }
        let is_in = |value: u32, from: u32, to: u32| (from..=to).contains(&value);
        if !is_in(self.lock_timeout_ms, 1, 60_000) {
            return Err("a lock is waited for 1 to 60000 ms".into());
        }
        if !is_in(self.statement_timeout_ms, 10, 86_400_000) {
            return Err("a statement may run 10 to 86400000 ms".into());
        }
        if !is_in(self.attempts, 1, 1_000) {
            return Err("a tenant is tried 1 to 1000 times".into());
        }
        if !is_in(self.batch_rows, 1, 1_000_000) {
            return Err("a batch has 1 to 1000000 rows".into());
        }
        Ok(())
    }
}

/// Who goes first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Canary {
    /// So many.
    Count(u32),
    /// Those that are chosen so.
    Those(Selector),
}

/// `5`, or a selector such as `tag=pilot`.
impl FromStr for Canary {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse() {
            Ok(0) => Err("there is at least one canary, or none is asked for".to_owned()),
            Ok(count) => Ok(Self::Count(count)),
            Err(_) => Selector::from_str(text).map(Self::Those),
        }
    }
}

/// How many may fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaxFailures {
    /// So many tenants.
    Count(u32),
    /// So much of the run, rounded up.
    Percent(u8),
}

impl MaxFailures {
    /// Whether `failed` of `all` are too many.
    pub(crate) fn is_exceeded(self, failed: i64, all: i64) -> bool {
        match self {
            Self::Count(count) => failed > i64::from(count),
            Self::Percent(percent) => failed > (all * i64::from(percent) + 99) / 100,
        }
    }
}

/// `3`, or `5%`.
impl FromStr for MaxFailures {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is neither a number, as in 3, nor a share, as in 5%");
        match text.strip_suffix('%') {
            None => text.parse().map(Self::Count).map_err(|_| wrong()),
            Some(share) => match share.parse() {
                Ok(percent @ 0..=100) => Ok(Self::Percent(percent)),
                _ => Err(wrong()),
            },
        }
    }
}

impl fmt::Display for MaxFailures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => write!(f, "{count}"),
            Self::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_counted_or_a_share() {
        let five: MaxFailures = "5%".parse().unwrap();

        assert!(!five.is_exceeded(3, 60));
        assert!(five.is_exceeded(4, 60));
        assert!(!five.is_exceeded(1, 1), "a share of few is at least one");
        assert!("0".parse::<MaxFailures>().unwrap().is_exceeded(1, 60));
        for text in ["", "-1", "101%", "five"] {
            assert!(text.parse::<MaxFailures>().is_err(), "{text}");
        }
    }

    #[test]
    fn waves_rise_to_a_hundred() {
        let with = |waves: &[u8]| {
            let waves = waves.to_vec();
            RunOptions {
                waves,
                ..RunOptions::default()
            }
            .check()
        };

        assert!(with(&[10, 50, 100]).is_ok());
        for wrong in [&[][..], &[50], &[50, 10, 100], &[0, 100], &[100, 100]] {
            assert!(with(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn options_of_an_older_build_are_read() {
        let read: RunOptions = serde_json::from_str(r#"{"waves":[100]}"#).unwrap();

        assert_eq!(read, RunOptions::default());
    }
}
