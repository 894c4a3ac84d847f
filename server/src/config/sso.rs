//! Single sign-on.

use std::net::SocketAddr;

use serde::{Deserialize, Deserializer};
use validator::Validate;

/// Identity providers of dealers, and how they are asked.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct Sso {
    /// Whether providers may be asked over plain HTTP, and at private addresses.
    pub allow_insecure_issuers: bool,
    /// Longest time one question to a provider may take, milliseconds.
    #[validate(range(min = 100, max = 30000))]
    pub timeout_ms: u64,
    /// How long what a provider says of itself is believed, minutes.
    #[validate(range(min = 1, max = 1440))]
    pub metadata_minutes: u32,
    /// A provider is asked for new keys no more often than so, seconds.
    #[validate(range(min = 1, max = 3600))]
    pub key_refresh_seconds: u32,
    /// Server that is asked for the records of domains; none: those of this machine.
    #[serde(deserialize_with = "server_or_none")]
    pub dns_server: Option<SocketAddr>,
}

/// Reads an address and a port, or nothing.
fn server_or_none<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<SocketAddr>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| {
        serde::de::Error::custom("must be an address and a port, as in 10.0.0.2:53, or empty")
    })
}
