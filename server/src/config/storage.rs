//! Where files are kept.

use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use validator::{Validate, ValidationError};

/// Where files are kept.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = has_what_it_needs))]
pub struct Storage {
    /// On what.
    pub kind: StorageKind,
    /// The folder, for a disk.
    pub directory: PathBuf,
    /// The bucket, for S3.
    pub bucket: String,
    /// Before all names in the bucket; empty for none.
    #[validate(length(max = 200))]
    pub prefix: String,
    /// Where the bucket is served; empty for Amazon's own.
    pub endpoint: String,
    /// The bucket's region.
    pub region: String,
    /// What names the server to the bucket; empty for the machine's own role.
    pub access_key: String,
    /// What proves it.
    pub secret_key: SecretString,
    /// Whether the bucket is part of the host's name.
    pub virtual_hosts: bool,
    /// Longest time of one request to the bucket, milliseconds.
    #[validate(range(min = 100, max = 600000))]
    pub timeout_ms: u64,
    /// Longest time a request is tried again, milliseconds.
    #[validate(range(max = 600000))]
    pub retry_ms: u64,
}

/// What files are kept on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StorageKind {
    /// A disk of this machine, or one that all machines share.
    Local,
    /// A bucket that speaks S3's protocol.
    S3,
}

fn has_what_it_needs(storage: &Storage) -> Result<(), ValidationError> {
    let has_secret = !storage.secret_key.expose_secret().is_empty();
    let fault = match storage.kind {
        StorageKind::Local if storage.directory.as_os_str().is_empty() => {
            "kind \"local\" needs directory"
        }
        StorageKind::S3 if storage.bucket.is_empty() => "kind \"s3\" needs bucket",
        _ if storage.access_key.is_empty() == has_secret => {
            "access_key and secret_key must be set together, or neither"
        }
        StorageKind::S3 if !is_address(&storage.endpoint) => {
            "endpoint must begin with http:// or https://, or be empty"
        }
        StorageKind::Local | StorageKind::S3 => return Ok(()),
    };
    Err(ValidationError::new("storage").with_message(fault.into()))
}

fn is_address(endpoint: &str) -> bool {
    let schemes = ["http://", "https://"];
    endpoint.is_empty() || schemes.iter().any(|scheme| endpoint.starts_with(scheme))
}
