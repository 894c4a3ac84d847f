//! Reading a folder and believing it: every file is there, nothing else is, and all weigh what the
//! manifest says.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use tokio::io::AsyncReadExt as _;

use super::folder::{BUFFER, DATA, LOCK, MANIFEST, count_rows, stranger_in};
use super::manifest::{Manifest, TableFile};
use super::{CopyError, hex};

/// A folder that is what it says.
#[derive(Debug)]
pub(crate) struct Verified {
    pub(super) folder: PathBuf,
    pub(super) manifest: Manifest,
}

impl Verified {
    pub(super) fn path_of(&self, table: &TableFile) -> PathBuf {
        self.folder.join(DATA).join(table.file_name())
    }

    /// The manifest's own checksum.
    pub(crate) fn sha256(&self) -> &str {
        &self.manifest.sha256
    }
}

/// Reads all of a folder.
pub(crate) async fn verify(folder: &Path) -> Result<Verified, CopyError> {
    let path = folder.join(MANIFEST);
    let text = tokio::fs::read(&path)
        .await
        .map_err(|cause| match cause.kind() {
            io::ErrorKind::NotFound => CopyError::damaged(
                folder,
                "holds no manifest.json, so it is no complete export",
            ),
            _ => CopyError::file(&path, cause),
        })?;
    let manifest = Manifest::parse(&path, &text)?;
    let files: Vec<_> = manifest.tables.iter().map(TableFile::file_name).collect();
    if files.iter().collect::<BTreeSet<_>>().len() < files.len() {
        return Err(CopyError::damaged(&path, "names a table twice"));
    }
    let mut known: Vec<_> = files.iter().map(String::as_str).collect();
    let stranger = match stranger_in(folder, &[MANIFEST, DATA, LOCK])? {
        Some(stranger) => Some(stranger),
        None => stranger_in(&folder.join(DATA), &known)?,
    };
    known.clear();
    if let Some(stranger) = stranger {
        return Err(CopyError::damaged(&stranger, "is no part of the export"));
    }
    let verified = Verified {
        folder: folder.to_owned(),
        manifest,
    };
    for table in &verified.manifest.tables {
        let mut file = Reader::open(verified.path_of(table)).await?;
        while file.next().await?.is_some() {}
        file.must_be(table)?;
    }
    Ok(verified)
}

/// A file that is being read, weighed on its way.
#[derive(Debug)]
pub(super) struct Reader {
    path: PathBuf,
    file: tokio::fs::File,
    buffer: Vec<u8>,
    hash: Sha256,
    rows: u64,
    bytes: u64,
}

impl Reader {
    pub(super) async fn open(path: PathBuf) -> Result<Self, CopyError> {
        let file = tokio::fs::File::open(&path)
            .await
            .map_err(|cause| match cause.kind() {
                io::ErrorKind::NotFound => CopyError::damaged(&path, "is missing"),
                _ => CopyError::file(&path, cause),
            })?;
        Ok(Self {
            path,
            file,
            buffer: vec![0; BUFFER],
            hash: Sha256::new(),
            rows: 0,
            bytes: 0,
        })
    }

    /// The next bytes, until there are none.
    pub(super) async fn next(&mut self) -> Result<Option<&[u8]>, CopyError> {
        let read = self.file.read(&mut self.buffer).await;
        let length = read.map_err(|cause| CopyError::file(&self.path, cause))?;
        let bytes = &self.buffer[..length];
        self.hash.update(bytes);
        self.rows += count_rows(bytes);
        self.bytes += length as u64;
        Ok((length > 0).then_some(bytes))
    }

    /// Compares all that was read with what the manifest says.
    pub(super) fn must_be(self, table: &TableFile) -> Result<(), CopyError> {
        let what = if self.bytes != table.bytes {
            let (is, should) = (self.bytes, table.bytes);
            format!("has {is} bytes, and the manifest says {should}")
        } else if hex(&self.hash.finalize()) != table.sha256 {
            "was changed: its checksum is another".to_owned()
        } else if self.rows != table.rows {
            let (is, should) = (self.rows, table.rows);
            format!("has {is} rows, and the manifest says {should}")
        } else {
            return Ok(());
        };
        Err(CopyError::damaged(&self.path, what))
    }
}
