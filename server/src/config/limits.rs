//! How much may be asked, and whose word for a client's address is taken.

use ipnet::IpNet;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use validator::Validate;

/// How much may be asked. A rate of 0 is no limit; a burst is what may be asked at once.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Proxies that are believed when they say for whom they ask.
    #[serde(deserialize_with = "networks")]
    pub trusted_proxies: Vec<IpNet>,
    /// Requests of one address a minute.
    #[validate(range(max = 10000000))]
    pub address_per_minute: u32,
    /// At once.
    #[validate(range(min = 1, max = 10000000))]
    pub address_burst: u32,
    /// Sign-ins and the like of one address with one dealer a minute.
    #[validate(range(max = 10000000))]
    pub auth_per_minute: u32,
    /// At once.
    #[validate(range(min = 1, max = 10000000))]
    pub auth_burst: u32,
    /// Readings of one member, API key or operator a minute.
    #[validate(range(max = 10000000))]
    pub read_per_minute: u32,
    /// At once.
    #[validate(range(min = 1, max = 10000000))]
    pub read_burst: u32,
    /// Changes of one member, API key or operator a minute.
    #[validate(range(max = 10000000))]
    pub write_per_minute: u32,
    /// At once.
    #[validate(range(min = 1, max = 10000000))]
    pub write_burst: u32,
    /// Requests of everybody with one dealer a minute.
    #[validate(range(max = 10000000))]
    pub tenant_per_minute: u32,
    /// At once.
    #[validate(range(min = 1, max = 10000000))]
    pub tenant_burst: u32,
    /// How many requests an import or an export counts for.
    #[validate(range(min = 1, max = 10000))]
    pub heavy_cost: u32,
}

/// Reads networks in CIDR notation; a bare address is a network of one.
fn networks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<IpNet>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let words = text.split([',', ' ']).filter(|word| !word.is_empty());
    words
        .map(|word| {
            word.parse()
                .or_else(|_| word.parse::<std::net::IpAddr>().map(IpNet::from))
                .map_err(|_| {
                    D::Error::custom(format!(
                        "{word} is no network, as in 10.0.0.0/8, and no address"
                    ))
                })
        })
        .collect()
}
