//! The folder of an export: written beside its place, put into it when it is whole, removed.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncWriteExt as _, BufWriter};
use uuid::Uuid;

use super::manifest::Manifest;
use super::{CopyError, hex};

/// The table of contents.
pub(super) const MANIFEST: &str = "manifest.json";
/// The folder of the tables' files.
pub(super) const DATA: &str = "data";
/// Held by whoever writes. It is in the folder for a moment after that was put into its place.
pub(super) const LOCK: &str = ".lock";
/// Bytes on their way to or from a file.
pub(super) const BUFFER: usize = 256 * 1024;

/// A folder that is being written.
#[derive(Debug)]
pub(super) struct Draft {
    target: PathBuf,
    partial: PathBuf,
    /// Ends with us, however we end.
    _lock: File,
}

impl Draft {
    /// Begins beside `target`, in place of whatever a writer who was cut left there.
    pub(super) fn begin(target: &Path) -> Result<Self, CopyError> {
        if fs::symlink_metadata(target).is_ok() {
            return Err(CopyError::Exists(target.to_owned()));
        }
        let mut name = OsString::from(target);
        name.push(".partial");
        let partial = PathBuf::from(name);
        make(&partial)?;
        let path = partial.join(LOCK);
        let lock = File::create(&path).map_err(|cause| CopyError::file(&path, cause))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(CopyError::BeingWritten(target.to_owned()));
            }
            Err(TryLockError::Error(cause)) => return Err(CopyError::file(&path, cause)),
        }
        let data = partial.join(DATA);
        clear(&data)?;
        make(&data)?;
        Ok(Self {
            target: target.to_owned(),
            partial,
            _lock: lock,
        })
    }

    /// A file for a table.
    pub(super) async fn file(&self, name: &str) -> Result<Writer, CopyError> {
        Writer::create(self.partial.join(DATA).join(name)).await
    }

    /// Writes the manifest and puts the folder into its place, where it appears whole or not.
    pub(super) async fn complete(&self, manifest: &Manifest) -> Result<(), CopyError> {
        let mut file = Writer::create(self.partial.join(MANIFEST)).await?;
        file.write(manifest.to_json().as_bytes()).await?;
        file.finish().await?;
        sync(&self.partial.join(DATA))?;
        sync(&self.partial)?;
        // Whoever was faster than us has the place: a folder that holds something stays.
        fs::rename(&self.partial, &self.target).map_err(|cause| match cause.kind() {
            io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::NotADirectory => {
                CopyError::Exists(self.target.clone())
            }
            _ => CopyError::file(&self.target, cause),
        })?;
        if let Some(parent) = self.target.parent() {
            sync(if parent.as_os_str().is_empty() {
                Path::new(".")
            } else {
                parent
            })?;
        }
        unlink(&self.target.join(LOCK))
    }

    /// Gives it up: nothing of it is kept.
    pub(super) fn discard(self) {
        let removed = clear(&self.partial.join(DATA)).and_then(|()| {
            unlink(&self.partial.join(MANIFEST))?;
            unlink(&self.partial.join(LOCK))?;
            let path = &self.partial;
            fs::remove_dir(path).map_err(|cause| CopyError::file(path, cause))
        });
        if let Err(error) = removed {
            tracing::warn!(error = %error, "a half-written export could not be removed");
        }
    }
}

/// A file that is being written, weighed on its way.
#[derive(Debug)]
pub(super) struct Writer {
    path: PathBuf,
    file: BufWriter<tokio::fs::File>,
    hash: Sha256,
    rows: u64,
    bytes: u64,
}

/// What went into a file.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) rows: u64,
    pub(super) bytes: u64,
    pub(super) sha256: String,
}

impl Writer {
    async fn create(path: PathBuf) -> Result<Self, CopyError> {
        let mut options = tokio::fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        // People's data is nobody else's on this machine.
        #[cfg(unix)]
        options.mode(0o600);
        let file = options.open(&path).await;
        let file = file.map_err(|cause| CopyError::file(&path, cause))?;
        Ok(Self {
            path,
            file: BufWriter::with_capacity(BUFFER, file),
            hash: Sha256::new(),
            rows: 0,
            bytes: 0,
        })
    }

    pub(super) async fn write(&mut self, bytes: &[u8]) -> Result<(), CopyError> {
        self.hash.update(bytes);
        self.rows += count_rows(bytes);
        self.bytes += bytes.len() as u64;
        let written = self.file.write_all(bytes).await;
        written.map_err(|cause| CopyError::file(&self.path, cause))
    }

    /// Waits until it is on the disk.
    pub(super) async fn finish(mut self) -> Result<Written, CopyError> {
        let done = async {
            self.file.flush().await?;
            self.file.get_ref().sync_all().await
        };
        let done = done.await;
        done.map_err(|cause| CopyError::file(&self.path, cause))?;
        Ok(Written {
            rows: self.rows,
            bytes: self.bytes,
            sha256: hex(&self.hash.finalize()),
        })
    }
}

/// A row is a line: `COPY` writes line ends within values in another way.
pub(super) fn count_rows(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}

/// Whether the folder is an export of this tenant.
pub(crate) fn belongs(folder: &Path, tenant: Uuid) -> Result<bool, CopyError> {
    let path = folder.join(MANIFEST);
    let text = fs::read(&path).map_err(|cause| CopyError::file(&path, cause))?;
    Ok(Manifest::parse(&path, &text)?.tenant.id == tenant)
}

/// Removes an export, and nothing that is not a part of one. The manifest goes last, so that
/// doing it again after a cut finds what is left; says what was in the way, if something was.
pub(crate) fn remove(folder: &Path) -> Result<Option<PathBuf>, CopyError> {
    let data = folder.join(DATA);
    if let Some(stranger) = stranger_in(folder, &[DATA, MANIFEST, LOCK])? {
        return Ok(Some(stranger));
    }
    for path in entries(&data)? {
        if path.extension().is_none_or(|end| end != "copy") || path.is_dir() {
            return Ok(Some(path));
        }
    }
    clear(&data)?;
    unlink(&folder.join(LOCK))?;
    unlink(&folder.join(MANIFEST))?;
    match fs::remove_dir(folder) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
            Err(CopyError::file(folder, cause))
        }
        _ => Ok(None),
    }
}

/// The first thing in a folder that should not be there.
pub(super) fn stranger_in(folder: &Path, known: &[&str]) -> Result<Option<PathBuf>, CopyError> {
    let found = entries(folder)?.into_iter().find(|path| {
        let name = path.file_name().unwrap_or_default();
        !known.iter().any(|known| name == *known)
    });
    Ok(found)
}

/// Folders in a folder whose names begin so.
pub(crate) fn beginning_with(folder: &Path, start: &str) -> Result<Vec<PathBuf>, CopyError> {
    let mut found = entries(folder)?;
    found.retain(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        path.is_dir() && name.starts_with(start)
    });
    Ok(found)
}

/// What a folder holds, in order; nothing where there is none.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, CopyError> {
    let broken = |cause| CopyError::file(folder, cause);
    let listing = match fs::read_dir(folder) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(vec![]),
        other => other.map_err(broken)?,
    };
    let mut paths = vec![];
    for entry in listing {
        paths.push(entry.map_err(broken)?.path());
    }
    paths.sort();
    Ok(paths)
}

/// Removes a folder of files.
fn clear(folder: &Path) -> Result<(), CopyError> {
    for path in entries(folder)? {
        unlink(&path)?;
    }
    match fs::remove_dir(folder) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
            Err(CopyError::file(folder, cause))
        }
        _ => Ok(()),
    }
}

fn unlink(path: &Path) -> Result<(), CopyError> {
    match fs::remove_file(path) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(CopyError::file(path, cause)),
        _ => Ok(()),
    }
}

fn make(folder: &Path) -> Result<(), CopyError> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(folder) {
        Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        other => other.map_err(|cause| CopyError::file(folder, cause)),
    }
}

/// Waits until a folder's names are on the disk.
fn sync(folder: &Path) -> Result<(), CopyError> {
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|cause| CopyError::file(folder, cause))
}
