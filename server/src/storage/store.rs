//! The disk or the bucket.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::local::LocalFileSystem;
use object_store::prefix::PrefixStore;
use object_store::{BackoffConfig, ClientOptions, ObjectStore, ObjectStoreExt, RetryConfig};
use secrecy::ExposeSecret;

use super::error::StorageError;
use super::key::StorageKey;
use crate::config::{self, StorageKind};

/// Bytes of a part on their way to a bucket, which takes at most 10,000 parts and none but the last
/// below 5 MiB: files of 78 GiB.
const BUCKET_PART: usize = 8 * 1024 * 1024;
/// Bytes written to a disk at a time.
const DISK_PART: usize = 1024 * 1024;

/// Keeps files of tenants.
#[derive(Clone)]
pub struct Storage {
    pub(super) store: Arc<dyn ObjectStore>,
    pub(super) part: usize,
    /// The folder, if it is a disk.
    pub(super) root: Option<Arc<Path>>,
    told: Arc<str>,
}

impl Storage {
    /// Opens it; a folder is made if it isn't there, a bucket isn't asked yet.
    ///
    /// # Errors
    ///
    /// When the folder can't be made, or the bucket's address is none.
    pub fn open(config: &config::Storage) -> Result<Self, anyhow::Error> {
        match config.kind {
            StorageKind::Local => on_disk(&config.directory),
            StorageKind::S3 => {
                let bucket = bucket(config)?;
                let store: Arc<dyn ObjectStore> = match config.prefix.trim_matches('/') {
                    "" => Arc::new(bucket),
                    prefix => Arc::new(PrefixStore::new(bucket, prefix)),
                };
                Ok(Self {
                    store,
                    part: BUCKET_PART,
                    root: None,
                    told: format!("bucket {}", config.bucket).into(),
                })
            }
        }
    }

    /// Looks at what only making it can tell, without leaving anything.
    ///
    /// # Errors
    ///
    /// When the bucket's address is none.
    pub fn check(config: &config::Storage) -> Result<(), anyhow::Error> {
        match config.kind {
            StorageKind::Local => Ok(()),
            StorageKind::S3 => bucket(config).map(drop),
        }
    }

    /// Forgets a file; one that isn't there is none.
    ///
    /// # Errors
    ///
    /// [`StorageError`].
    pub async fn delete(&self, key: &StorageKey) -> Result<(), StorageError> {
        match self.store.delete(&key.path()).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

fn on_disk(directory: &Path) -> Result<Storage, anyhow::Error> {
    let told = || format!("storage.directory: cannot use {}", directory.display());
    make_private(directory).with_context(told)?;
    // Written through to the disk, and then renamed: a file that is there stays, as a whole.
    let store = LocalFileSystem::new_with_prefix(directory)
        .with_context(told)?
        .with_fsync(true);
    Ok(Storage {
        store: Arc::new(store),
        part: DISK_PART,
        root: Some(directory.into()),
        told: format!("folder {}", directory.display()).into(),
    })
}

/// What dealers send is nobody else's business on a shared machine.
fn make_private(directory: &Path) -> std::io::Result<()> {
    let mut folder = std::fs::DirBuilder::new();
    folder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700);
    folder.create(directory)
}

fn bucket(config: &config::Storage) -> Result<AmazonS3, anyhow::Error> {
    let retry = RetryConfig {
        backoff: BackoffConfig::default(),
        max_retries: 10,
        retry_timeout: Duration::from_millis(config.retry_ms),
    };
    let client = ClientOptions::new().with_timeout(Duration::from_millis(config.timeout_ms));
    let mut builder = AmazonS3Builder::new()
        .with_client_options(client)
        .with_retry(retry)
        .with_bucket_name(&config.bucket)
        .with_region(&config.region)
        .with_virtual_hosted_style_request(config.virtual_hosts);
    if !config.endpoint.is_empty() {
        builder = builder
            .with_endpoint(&config.endpoint)
            .with_allow_http(config.endpoint.starts_with("http://"));
    }
    if !config.access_key.is_empty() {
        builder = builder
            .with_access_key_id(&config.access_key)
            .with_secret_access_key(config.secret_key.expose_secret());
    }
    builder.build().context("storage.bucket and its address")
}

impl fmt::Debug for Storage {
    /// Where, and nothing of how one is let in.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Storage").field(&self.told).finish()
    }
}
