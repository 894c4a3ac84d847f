//! What is said of the API itself.

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{Date, OffsetDateTime};
use validator::Validate;

const DAY: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]");

/// What is said of the API itself.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct Api {
    /// Operations that will go away, besides those that this build says will.
    #[serde(deserialize_with = "deprecations")]
    pub deprecated: Vec<Deprecation>,
}

/// An operation that will go away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deprecation {
    /// Its name in the API's document.
    pub operation: String,
    /// Since when nobody should begin to use it, UTC.
    pub deprecated_at: OffsetDateTime,
    /// From when it may be gone, UTC.
    pub sunset_at: OffsetDateTime,
    /// Where it is said what to use instead.
    pub link: String,
}

/// Reads `operation day day link`, one after another with semicolons between.
fn deprecations<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Deprecation>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let entries = text.split(';').filter(|entry| !entry.trim().is_empty());
    entries
        .map(|entry| {
            parsed(entry).ok_or_else(|| {
                D::Error::custom(format!(
                    "{entry:?} must be an operation, two days and a link, as in \
                     list_units 2027-01-01 2027-07-01 https://tubex.example/changes"
                ))
            })
        })
        .collect()
}

fn parsed(entry: &str) -> Option<Deprecation> {
    let words: Vec<_> = entry.split_whitespace().collect();
    let [operation, deprecated, sunset, link] = words[..] else {
        return None;
    };
    let midnight = |day: &str| Some(Date::parse(day, DAY).ok()?.midnight().assume_utc());
    // It becomes part of a header, where these would end it.
    let is_plain = link
        .bytes()
        .all(|b| b.is_ascii_graphic() && !b"<>\"".contains(&b));
    is_plain.then_some(Deprecation {
        operation: operation.to_owned(),
        deprecated_at: midnight(deprecated)?,
        sunset_at: midnight(sunset)?,
        link: link.to_owned(),
    })
}
