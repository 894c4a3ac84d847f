//! Webhooks: what is sent to addresses that dealers name.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use ipnet::IpNet;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use validator::Validate;

use super::sections::path_or_none;

/// What is sent to addresses that dealers name, and which addresses may be named.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct Webhooks {
    /// Whether an address may begin with `http://`.
    pub allow_http: bool,
    /// Networks that may be reached although they are not the internet's.
    #[serde(deserialize_with = "networks")]
    pub allow_networks: Vec<IpNet>,
    /// Ports that may be reached.
    #[serde(deserialize_with = "ports")]
    pub ports: Vec<RangeInclusive<u16>>,
    /// Server that is asked for the addresses of names; none: as this machine does it.
    #[serde(deserialize_with = "server_or_none")]
    pub dns_server: Option<SocketAddr>,
    /// Certificates of authorities that are trusted besides those that this machine trusts, PEM.
    #[serde(deserialize_with = "path_or_none")]
    pub ca_file: Option<PathBuf>,
    /// Longest time an attempt may take, milliseconds.
    #[validate(range(min = 100, max = 50000))]
    pub timeout_ms: u64,
    /// Longest time of that until there is a connection, milliseconds.
    #[validate(range(min = 100, max = 50000))]
    pub connect_timeout_ms: u64,
    /// Attempts to one endpoint at once, in one worker.
    #[validate(range(min = 1, max = 100))]
    pub endpoint_at_once: u32,
    /// Endpoints of a dealer.
    #[validate(range(min = 1, max = 1000))]
    pub endpoints: u32,
    /// An endpoint that fails for as long is sent nothing any more, days.
    #[validate(range(min = 1, max = 365))]
    pub disable_after_days: u32,
    /// How long a delivery that is over is kept, days.
    #[validate(range(min = 1, max = 3650))]
    pub retention_days: u32,
}

/// Reads networks with commas between.
fn networks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<IpNet>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let parts = text.split(',').map(str::trim).filter(|it| !it.is_empty());
    let networks = parts.map(|part| part.parse::<IpNet>().map(|network| network.trunc()));
    networks.collect::<Result<_, _>>().map_err(|_| {
        D::Error::custom("must be networks with commas between, as in 10.1.0.0/16,fd00::/8")
    })
}

/// Reads ports and ranges of ports with commas between.
fn ports<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<RangeInclusive<u16>>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let range = |part: &str| {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let (from, to) = (from.trim().parse().ok()?, to.trim().parse().ok()?);
        (1 <= from && from <= to).then_some(from..=to)
    };
    let ranges: Option<Vec<_>> = text.split(',').map(|part| range(part.trim())).collect();
    ranges.ok_or_else(|| {
        D::Error::custom("must be ports with commas between, as in 443,8443 or 443,9000-9010")
    })
}

/// Reads an address and a port, or nothing.
fn server_or_none<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<SocketAddr>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.is_empty() {
        return Ok(None);
    }
    text.parse()
        .map(Some)
        .map_err(|_| D::Error::custom("must be an address and a port, as in 10.0.0.2:53, or empty"))
}
