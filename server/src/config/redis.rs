//! Where Redis is.

use secrecy::{ExposeSecret, SecretString};
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use validator::Validate;

/// Where Redis is, if anywhere.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct Redis {
    /// Address; empty when there is no Redis.
    #[serde(deserialize_with = "redis_address")]
    pub url: SecretString,
    /// Longest wait for an answer, milliseconds.
    #[validate(range(min = 1, max = 10000))]
    pub timeout_ms: u64,
    /// How long it is left alone after a failure, milliseconds.
    #[validate(range(min = 10, max = 600000))]
    pub rest_ms: u64,
    /// What the names of all that is kept there begin with.
    #[validate(length(max = 100))]
    pub prefix: String,
}

/// Reads the address of a Redis, or nothing. The error doesn't tell it: it may
/// hold a password.
fn redis_address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    let url = SecretString::deserialize(deserializer)?;
    let text = url.expose_secret();
    if !text.is_empty() && !text.starts_with("redis") && !text.starts_with("unix:") {
        return Err(D::Error::custom(
            "an address must begin with redis://, as in redis://:password@cache:6379, or be empty",
        ));
    }
    Ok(url)
}
