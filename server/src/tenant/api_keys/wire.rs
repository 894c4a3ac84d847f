//! API keys on the wire.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ::entity::tenant::api_key::Model;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;
use validator::{Validate, ValidationError};

use super::service::{KeyChange, Made, NewKey};
use crate::auth::entry;
use crate::http::{FieldError, Problem};
use crate::kernel::{Patch, never_null};
use crate::tenant::catalog::text::one_line;

/// A new API key.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyIn {
    /// For people.
    #[validate(length(max = 100), custom(function = one_line))]
    #[schema(example = "Web shop")]
    name: String,
    /// Names in the catalogue. Only what you hold yourself, and as far as it reaches for you at any
    /// time.
    #[validate(length(min = 1, max = 200))]
    #[schema(example = json!(["item.read"]))]
    permissions: Vec<String>,
    /// Networks in CIDR notation, or addresses, that it may be used from; any when empty.
    #[serde(default)]
    #[validate(length(max = 100), custom(function = networks))]
    #[schema(example = json!(["203.0.113.0/24"]))]
    addresses: Vec<String>,
    /// Requests a minute, in place of the usual limit.
    #[validate(range(min = 1, max = 100000))]
    per_minute: Option<i32>,
    /// From when it is good no more; never when absent.
    #[serde(default, with = "time::serde::rfc3339::option")]
    expires_at: Option<OffsetDateTime>,
}

/// What is to change; what is left out stays. What a key may do never changes.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyPatch {
    #[serde(default, deserialize_with = "never_null")]
    #[validate(length(max = 100), custom(function = one_line))]
    #[schema(nullable = false)]
    name: Option<String>,
    /// Replaces all of them.
    #[serde(default, deserialize_with = "never_null")]
    #[validate(length(max = 100), custom(function = networks))]
    #[schema(nullable = false)]
    addresses: Option<Vec<String>>,
    /// Null gives it the usual limit.
    #[serde(default)]
    #[validate(custom(function = rate))]
    #[schema(value_type = Option<i32>, minimum = 1, maximum = 100000)]
    per_minute: Patch<i32>,
}

/// How a key is replaced.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RotateIn {
    /// How long both keys are good, hours; 24 when absent, and 0 ends the old one at once.
    #[serde(default = "a_day")]
    #[validate(range(min = 0, max = 720))]
    pub overlap_hours: u32,
}

/// An API key, without its secret.
#[derive(Serialize, ToSchema)]
pub(super) struct KeyOut {
    pub id: Uuid,
    name: String,
    /// Whose it is: it may never do what they may not.
    member_id: Uuid,
    permissions: Vec<String>,
    addresses: Vec<String>,
    #[schema(required)]
    per_minute: Option<i32>,
    /// The key that it was made to replace.
    #[schema(required)]
    replaces: Option<Uuid>,
    /// The ETag's number. Being used is no change.
    pub version: i64,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    updated_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required)]
    expires_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required)]
    revoked_at: Option<OffsetDateTime>,
    /// To the minute.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required)]
    last_used_at: Option<OffsetDateTime>,
    /// The address.
    #[schema(required)]
    last_used_from: Option<String>,
}

/// A key that was just made.
#[derive(Serialize, ToSchema)]
pub(super) struct MadeOut {
    /// The key itself: `tbx_live_`, its id, its secret and a checksum. It is never shown again.
    #[schema(pattern = "^tbx_live_[0-9a-f]{32}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}$")]
    key: String,
    pub api_key: KeyOut,
}

impl KeyIn {
    /// The command.
    pub(super) fn into_command(self, now: OffsetDateTime) -> Result<NewKey, Problem> {
        let permissions = for_machines(&self.permissions)?;
        if self.expires_at.is_some_and(|end| end <= now) {
            return Err(Problem::field("/expires_at", "past", "it must lie ahead"));
        }
        Ok(NewKey {
            name: self.name.trim().to_owned(),
            permissions,
            addresses: canonical(&self.addresses),
            per_minute: self.per_minute,
            expires_at: self.expires_at,
        })
    }
}

impl From<KeyPatch> for KeyChange {
    fn from(body: KeyPatch) -> Self {
        Self {
            name: body.name.map(|name| name.trim().to_owned()),
            addresses: body.addresses.as_deref().map(canonical),
            per_minute: body.per_minute,
        }
    }
}

impl From<Model> for KeyOut {
    fn from(key: Model) -> Self {
        Self {
            id: key.id,
            name: key.name,
            member_id: key.member_id,
            permissions: key.permissions,
            addresses: key.addresses,
            per_minute: key.per_minute,
            replaces: key.replaces,
            version: key.version,
            created_at: key.created_at,
            updated_at: key.updated_at,
            expires_at: key.expires_at,
            revoked_at: key.revoked_at,
            last_used_at: key.last_used_at,
            last_used_from: key.last_used_from,
        }
    }
}

impl From<Made> for MadeOut {
    fn from(made: Made) -> Self {
        Self {
            key: made.text.into_wire(),
            api_key: KeyOut::from(made.key),
        }
    }
}

/// The names, each once; those that are in no catalogue or for people only are refused.
fn for_machines(names: &[String]) -> Result<Vec<String>, Problem> {
    let fault = |(at, name): (usize, &String)| {
        let (code, message) = match entry(name) {
            None => (
                "unknown",
                "there is no such permission; see /api/v1/permissions",
            ),
            Some(entry) if !entry.is_for_machines() => {
                ("for_people", "this is for people, not for API keys")
            }
            Some(_) => return None,
        };
        Some(FieldError {
            pointer: format!("/permissions/{at}"),
            code: code.to_owned(),
            message: message.to_owned(),
            line: None,
        })
    };
    let faults: Vec<_> = names.iter().enumerate().filter_map(fault).collect();
    if !faults.is_empty() {
        return Err(Problem::fields(faults));
    }
    let names: BTreeSet<_> = names.iter().cloned().collect();
    Ok(names.into_iter().collect())
}

/// An address is a network of one.
fn network(text: &str) -> Option<IpNet> {
    let network = text.parse().ok();
    let network = network.or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
    network.map(|network| network.trunc())
}

fn canonical(addresses: &[String]) -> Vec<String> {
    let networks: BTreeSet<_> = addresses.iter().filter_map(|text| network(text)).collect();
    networks.iter().map(ToString::to_string).collect()
}

fn networks(addresses: &[String]) -> Result<(), ValidationError> {
    if addresses.iter().all(|text| network(text).is_some()) {
        return Ok(());
    }
    let hint = "each must be an address or a network, such as 203.0.113.0/24";
    Err(ValidationError::new("network").with_message(hint.into()))
}

fn rate(per_minute: &Patch<i32>) -> Result<(), ValidationError> {
    match per_minute.as_set() {
        Some(rate) if !(1..=100_000).contains(rate) => {
            Err(ValidationError::new("range").with_message("it must be 1 to 100000".into()))
        }
        _ => Ok(()),
    }
}

fn a_day() -> u32 {
    24
}
