//! Taking a file out again.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};

use actix_web::web::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use object_store::{GetResultPayload, ObjectStoreExt};

use super::error::StorageError;
use super::key::StorageKey;
use super::store::Storage;

/// A file that is being read.
pub struct Opened {
    /// Its length.
    pub bytes: u64,
    /// What it holds, piece by piece.
    pub pieces: BoxStream<'static, Result<Bytes, StorageError>>,
}

impl Storage {
    /// Opens a file for reading, piece by piece.
    ///
    /// # Errors
    ///
    /// [`StorageError::Missing`], or what keeps it from being read.
    pub async fn open_file(&self, key: &StorageKey) -> Result<Opened, StorageError> {
        let found = self.store.get(&key.path()).await?;
        Ok(Opened {
            bytes: found.meta.size,
            pieces: found.into_stream().map_err(StorageError::from).boxed(),
        })
    }

    /// A file as one of this machine, at its start. It has no name: it is gone with its handle, and
    /// stays readable even when the one in storage is deleted meanwhile.
    ///
    /// # Errors
    ///
    /// As [`Storage::open_file`].
    pub async fn to_file(&self, key: &StorageKey) -> Result<File, StorageError> {
        let found = self.store.get(&key.path()).await?;
        let mut pieces = match found.payload {
            // It is on this machine already.
            GetResultPayload::File(file, _) => return Ok(file),
            GetResultPayload::Stream(pieces) => pieces,
        };
        let mut scratch = on_disk(tempfile::tempfile).await?;
        while let Some(piece) = pieces.next().await {
            let piece = piece?;
            scratch = on_disk(move || scratch.write_all(&piece).map(|()| scratch)).await?;
        }
        Ok(on_disk(move || scratch.seek(SeekFrom::Start(0)).map(|_| scratch)).await?)
    }
}

/// Disks are waited for beside the threads that serve.
pub(super) async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> std::io::Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(std::io::Error::other)?
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened")
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}
