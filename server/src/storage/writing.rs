//! Keeping a file.

use std::fs::File;
use std::io::Read;

use actix_web::web::Bytes;
use futures_util::{Stream, StreamExt, stream};
use object_store::{ObjectStoreExt, WriteMultipart};
use sha2::{Digest, Sha256};

use super::error::PutError;
use super::key::StorageKey;
use super::store::Storage;

/// Parts on their way at once; no more is held in memory.
const PARTS_AT_ONCE: usize = 2;
/// Bytes of a piece of a file.
const PIECE: usize = 256 * 1024;

/// A file that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// Its length.
    pub bytes: u64,
    /// What it holds, SHA-256.
    pub sha256: [u8; 32],
}

impl Storage {
    /// Keeps what comes, if it is no more than `limit` bytes. The file is there when this says so,
    /// and not before; one of this name is replaced.
    ///
    /// # Errors
    ///
    /// [`PutError`]; nothing is kept then.
    pub async fn put<E>(
        &self,
        key: &StorageKey,
        bytes: impl Stream<Item = Result<Bytes, E>>,
        limit: u64,
    ) -> Result<Stored, PutError<E>> {
        let upload = self.store.put_multipart(&key.path()).await?;
        let mut upload = WriteMultipart::new_with_chunk_size(upload, self.part);
        match send(&mut upload, bytes, limit).await {
            Ok(stored) => {
                upload.finish().await?;
                Ok(stored)
            }
            Err(error) => {
                // What went wrong is told; parts that stay behind are the bucket's to drop.
                if let Err(error) = upload.abort().await {
                    tracing::warn!(error = %error, "parts of a file may be left in storage");
                }
                Err(error)
            }
        }
    }
}

async fn send<E>(
    upload: &mut WriteMultipart,
    bytes: impl Stream<Item = Result<Bytes, E>>,
    limit: u64,
) -> Result<Stored, PutError<E>> {
    let mut bytes = std::pin::pin!(bytes);
    let (mut length, mut digest) = (0u64, Sha256::new());
    while let Some(piece) = bytes.next().await {
        let piece = piece.map_err(PutError::Source)?;
        length += piece.len() as u64;
        if length > limit {
            return Err(PutError::TooLarge { limit });
        }
        digest.update(&piece);
        upload.wait_for_capacity(PARTS_AT_ONCE).await?;
        upload.write(&piece);
    }
    Ok(Stored {
        bytes: length,
        sha256: digest.finalize().into(),
    })
}

/// A file of this machine in pieces, from where it stands, read beside the threads that serve.
pub fn pieces(file: File) -> impl Stream<Item = std::io::Result<Bytes>> {
    stream::try_unfold(file, |mut file| async {
        let read = tokio::task::spawn_blocking(move || {
            let mut piece = vec![0; PIECE];
            let length = file.read(&mut piece)?;
            piece.truncate(length);
            Ok::<_, std::io::Error>((piece, file))
        });
        let (piece, file) = read.await.map_err(std::io::Error::other)??;
        Ok((!piece.is_empty()).then(|| (Bytes::from(piece), file)))
    })
}
