//! How messages leave.

use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use validator::{Validate, ValidationError};

/// How messages leave.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = has_what_it_needs))]
pub struct Mail {
    /// By which way.
    pub transport: Transport,
    /// The mail server; empty for other ways.
    #[serde(deserialize_with = "smtp_address_or_none")]
    pub url: Option<SecretString>,
    /// Where files go; empty for other ways.
    pub directory: PathBuf,
    /// Whom messages come from.
    #[validate(length(min = 3, max = 320))]
    pub from: String,
    /// Longest wait for the mail server, milliseconds.
    #[validate(range(min = 100, max = 120000))]
    pub timeout_ms: u64,
    /// Days that it is kept what became of a message.
    #[validate(range(min = 1, max = 3650))]
    pub log_days: u32,
    /// Whether messages that went into files are shown on a page, to whoever asks.
    pub page: bool,
}

/// By which way messages leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// To a mail server.
    Smtp,
    /// Into files, for developers.
    Files,
    /// Into this process's memory, for tests.
    Memory,
    /// Not at all.
    None,
}

fn has_what_it_needs(mail: &Mail) -> Result<(), ValidationError> {
    let missing = match mail.transport {
        Transport::Smtp if mail.url.is_none() => "transport \"smtp\" needs url",
        Transport::Files if mail.directory.as_os_str().is_empty() => {
            "transport \"files\" needs directory"
        }
        Transport::Smtp | Transport::Memory | Transport::None if mail.page => {
            "page needs transport \"files\""
        }
        _ => return Ok(()),
    };
    Err(ValidationError::new("transport").with_message(missing.into()))
}

/// Reads the address of a mail server, or nothing. The error doesn't tell it: it may hold a
/// password.
fn smtp_address_or_none<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<SecretString>, D::Error> {
    let url = SecretString::deserialize(deserializer)?;
    let text = url.expose_secret();
    if text.is_empty() {
        return Ok(None);
    }
    let is_known = ["smtp://", "smtps://"]
        .iter()
        .any(|scheme| text.starts_with(scheme));
    if !is_known {
        return Err(D::Error::custom(
            "an address must begin with smtp:// or smtps://, as in \
             smtps://user:password@mail.example:465",
        ));
    }
    Ok(Some(url))
}
