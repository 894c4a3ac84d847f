//! What is done by the clock, and what is kept how long.

use std::str::FromStr;

use croner::Cron;
use serde::{Deserialize, Deserializer, de};
use validator::Validate;

/// Work that nobody asks for.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct Worker {
    /// When what is over is removed.
    #[serde(deserialize_with = "cron")]
    pub purge: Cron,
    /// When files are removed that nothing belongs to any more.
    #[serde(deserialize_with = "cron")]
    pub files: Cron,
    /// How long an ended session stays visible, days.
    #[validate(range(max = 3650))]
    pub session_retention_days: u32,
    /// When members are written to who want to be told once a day.
    #[serde(deserialize_with = "cron")]
    pub digest: Cron,
    /// When it is noted how far the audit trails have come.
    #[serde(deserialize_with = "cron")]
    pub checkpoint: Cron,
    /// When spares are counted and made.
    #[serde(deserialize_with = "cron")]
    pub spares: Cron,
}

fn cron<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Cron, D::Error> {
    let text = String::deserialize(deserializer)?;
    Cron::from_str(&text).map_err(|_| {
        de::Error::custom("must be a cron expression, such as \"17 * * * *\" for every hour")
    })
}
