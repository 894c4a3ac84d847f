//! Endpoints on the wire.

use ::entity::tenant::webhook_endpoint::{Model, Reason, Signing};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use url::Url;
use utoipa::ToSchema;
use uuid::Uuid;
use validator::{Validate, ValidationError};

use crate::events::CATALOGUE;
use crate::kernel::never_null;
use crate::tenant::catalog::text::no_control;
use crate::tenant::webhooks::service::{EndpointChange, Made, NewEndpoint};

/// How what is sent is signed.
#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::tenant::webhooks) enum SigningWire {
    /// HMAC-SHA256, with a secret that both sides know.
    #[default]
    V1,
    /// Ed25519: whoever verifies can't sign.
    V1a,
    /// With either, so that receivers of both kinds can verify.
    Both,
}

/// Why we stopped to send.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum DisabledBecause {
    /// It answered 410: it is gone for good.
    Gone,
    /// It failed for days.
    Failing,
}

/// A new endpoint.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::tenant::webhooks) struct WebhookEndpointIn {
    /// Where to; HTTPS, on the internet.
    #[validate(length(min = 1, max = 2048), custom(function = address))]
    #[schema(example = "https://erp.example/hooks/tubex")]
    url: String,
    /// For people.
    #[serde(default)]
    #[validate(length(max = 500), custom(function = no_control))]
    description: String,
    /// What it wants to hear of: kinds of events, all of a thing such as `item.*`, or `*`.
    #[validate(length(min = 1, max = 100), custom(function = known))]
    #[schema(example = json!(["item.*"]))]
    event_types: Vec<String>,
    /// `v1` when absent.
    #[serde(default)]
    #[schema(inline)]
    signing: SigningWire,
}

/// What is to change; what is left out stays. How it is signed changes with its secret.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::tenant::webhooks) struct WebhookEndpointPatch {
    #[serde(default, deserialize_with = "never_null")]
    #[validate(length(min = 1, max = 2048), custom(function = address))]
    #[schema(nullable = false)]
    url: Option<String>,
    #[serde(default, deserialize_with = "never_null")]
    #[validate(length(max = 500), custom(function = no_control))]
    #[schema(nullable = false)]
    description: Option<String>,
    /// Replaces all of them.
    #[serde(default, deserialize_with = "never_null")]
    #[validate(length(min = 1, max = 100), custom(function = known))]
    #[schema(nullable = false)]
    event_types: Option<Vec<String>>,
    /// Whether anything is sent. Enabled again, it begins anew.
    #[serde(default, deserialize_with = "never_null")]
    #[schema(nullable = false)]
    is_enabled: Option<bool>,
}

/// How a secret is replaced.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::tenant::webhooks) struct RotateSecretIn {
    /// How long the old secret signs beside the new one, hours; 24 when absent, and 0 ends it at once.
    #[serde(default = "a_day")]
    #[validate(range(min = 0, max = 720))]
    pub overlap_hours: u32,
    /// How it is signed from now on; as before when absent.
    #[serde(default, deserialize_with = "never_null")]
    #[schema(inline, nullable = false)]
    pub signing: Option<SigningWire>,
}

/// An endpoint, without its secret.
#[derive(Serialize, ToSchema)]
pub(in crate::tenant::webhooks) struct WebhookEndpointOut {
    pub id: Uuid,
    url: String,
    description: String,
    event_types: Vec<String>,
    #[schema(inline)]
    signing: SigningWire,
    /// What signatures of `v1a` are verified with: `whpk_` and the key.
    #[schema(required)]
    public_key: Option<String>,
    is_enabled: bool,
    /// Why we stopped; null while it is enabled, and when people stopped it.
    #[schema(required, inline)]
    disabled_because: Option<DisabledBecause>,
    /// UTC; the first failure since the last success.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required)]
    failing_since: Option<OffsetDateTime>,
    /// The ETag's number. How deliveries go is no change.
    pub version: i64,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    updated_at: OffsetDateTime,
}

/// An endpoint and its new secret.
#[derive(Serialize, ToSchema)]
pub(in crate::tenant::webhooks) struct WebhookEndpointMadeOut {
    /// What signatures of `v1` are verified with: `whsec_` and the secret. It is never shown again.
    /// Null when none of `v1` are made.
    #[schema(required, pattern = "^whsec_[0-9A-Za-z+/]{43}=$")]
    secret: Option<String>,
    pub endpoint: WebhookEndpointOut,
}

impl From<WebhookEndpointIn> for NewEndpoint {
    fn from(body: WebhookEndpointIn) -> Self {
        Self {
            url: canonical(&body.url),
            description: body.description.trim().to_owned(),
            event_types: body.event_types,
            signing: body.signing.into(),
        }
    }
}

impl From<WebhookEndpointPatch> for EndpointChange {
    fn from(body: WebhookEndpointPatch) -> Self {
        Self {
            url: body.url.as_deref().map(canonical),
            description: body.description.map(|text| text.trim().to_owned()),
            event_types: body.event_types,
            is_enabled: body.is_enabled,
        }
    }
}

impl From<SigningWire> for Signing {
    fn from(signing: SigningWire) -> Self {
        match signing {
            SigningWire::V1 => Self::V1,
            SigningWire::V1a => Self::V1a,
            SigningWire::Both => Self::Both,
        }
    }
}

impl From<Model> for WebhookEndpointOut {
    fn from(row: Model) -> Self {
        Self {
            id: row.id,
            url: row.url,
            description: row.description,
            event_types: row.event_types,
            signing: match row.signing {
                Signing::V1 => SigningWire::V1,
                Signing::V1a => SigningWire::V1a,
                Signing::Both => SigningWire::Both,
            },
            public_key: row.public_key,
            is_enabled: row.is_enabled,
            disabled_because: row.disabled_because.map(|because| match because {
                Reason::Gone => DisabledBecause::Gone,
                Reason::Failing => DisabledBecause::Failing,
            }),
            failing_since: row.failing_since,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

impl From<Made> for WebhookEndpointMadeOut {
    fn from(made: Made) -> Self {
        Self {
            secret: made.secret,
            endpoint: made.endpoint.into(),
        }
    }
}

/// As browsers write it, without what is never sent.
fn canonical(text: &str) -> String {
    match text.trim().parse::<Url>() {
        Ok(mut url) => {
            url.set_fragment(None);
            url.into()
        }
        Err(_) => text.to_owned(),
    }
}

fn address(text: &str) -> Result<(), ValidationError> {
    let is_one = text.trim().parse::<Url>().is_ok_and(|url| url.has_host());
    if is_one && !text.chars().any(char::is_control) {
        return Ok(());
    }
    let hint = "it must be an address such as https://erp.example/hooks";
    Err(ValidationError::new("url").with_message(hint.into()))
}

fn known(event_types: &[String]) -> Result<(), ValidationError> {
    let is_known = |wanted: &String| {
        wanted == "*"
            || CATALOGUE.iter().any(|kind| {
                let thing = kind.name.split('.').next().unwrap_or_default();
                kind.name == wanted || wanted.strip_suffix(".*") == Some(thing)
            })
    };
    if event_types.iter().all(is_known) {
        return Ok(());
    }
    let hint = "each must be a kind of event, all of a thing such as item.*, or *";
    Err(ValidationError::new("unknown").with_message(hint.into()))
}

fn a_day() -> u32 {
    24
}
