//! Where instances live: `.local` of the checkout, a stand-in under /var/tmp, throw-away folders.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, Permissions, TryLockError};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::account::{Account, own_uid};
use super::secret;

const THROW_AWAY: &str = "tubex-run-";
const SETTLED: Duration = Duration::from_secs(60);

/// The folders of one checkout.
#[derive(Clone, Debug)]
pub struct Place {
    /// The checkout itself.
    pub checkout: PathBuf,
    /// `.local` of the checkout: secrets, logs, `dev.json`.
    pub home: PathBuf,
    /// Where Postgres and Redis keep their files: `home`, or the stand-in.
    pub instances: PathBuf,
}

impl Place {
    /// The folders of the checkout that we were started in, made if needed.
    ///
    /// # Errors
    ///
    /// Outside a checkout, or when a folder cannot be made.
    pub fn here(account: &Account) -> Result<Self> {
        let checkout = checkout()?;
        let home = checkout.join(".local");
        make_private(&home, account)?;
        let stand_in = stand_in(&checkout);
        let instances = if account.can_enter(&home) {
            home.clone()
        } else {
            make_private(&stand_in, account)?;
            if own_uid()? != fs::symlink_metadata(&stand_in)?.uid() || stand_in.is_symlink() {
                bail!(
                    "{} exists and is not ours; remove it first",
                    stand_in.display()
                );
            }
            stand_in
        };
        Ok(Self {
            checkout,
            home,
            instances,
        })
    }

    /// Whether the databases had to go elsewhere because their account cannot reach `.local`.
    pub fn is_stand_in(&self) -> bool {
        self.instances != self.home
    }

    /// Lets one process at a time work here. The system gives the lock back when that process
    /// ends, whatever the reason.
    ///
    /// # Errors
    ///
    /// When another one is at work, with its process id.
    pub fn lock(&self) -> Result<File> {
        let path = self.home.join("lock");
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .with_context(|| {
                format!(
                    "cannot use {}: was `make dev` run with sudo here?",
                    path.display()
                )
            })?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                file.read_to_string(&mut pid)?;
                bail!(
                    "this checkout's local stack is already running (pid {}); \
                     stop that one with Ctrl-C first, or use another checkout",
                    pid.trim()
                );
            }
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("cannot lock {}", path.display()));
            }
        }
        file.set_len(0)?;
        writeln!(file, "{}", std::process::id())?;
        Ok(file)
    }
}

/// The checkout around the current directory.
///
/// # Errors
///
/// When there is none.
pub fn checkout() -> Result<PathBuf> {
    let here = std::env::current_dir().context("the current directory is gone")?;
    here.ancestors()
        .find(|dir| dir.join("Cargo.lock").is_file())
        .map(Path::to_path_buf)
        .context("run this inside a checkout of Tubex (no Cargo.lock here or above)")
}

/// The folder that stands in for `.local` when the database's account cannot get there.
pub fn stand_in(checkout: &Path) -> PathBuf {
    PathBuf::from(format!(
        "/var/tmp/tubex-{:016x}",
        fnv1a(checkout.as_os_str().as_bytes())
    ))
}

/// A new folder with an unguessable name that only its owner may list.
///
/// # Errors
///
/// When no temporary folder is writable.
pub fn temporary(parent: &Path, prefix: &str, mode: u32) -> Result<PathBuf> {
    let dir = parent.join(format!("{prefix}{}", secret::random_text::<9>()?));
    DirBuilder::new()
        .mode(mode)
        .create(&dir)
        .with_context(|| format!("cannot create {}", dir.display()))?;
    // The umask may have taken the passage away.
    fs::set_permissions(&dir, Permissions::from_mode(mode))?;
    Ok(dir)
}

/// A folder for one run, removed when this is dropped.
#[derive(Debug)]
pub struct ThrowAway {
    dir: PathBuf,
    _lock: File,
}

impl ThrowAway {
    /// Makes a folder below the system's temporary one that the database's account can reach.
    ///
    /// # Errors
    ///
    /// When there is no such place.
    pub fn create(account: &Account) -> Result<Self> {
        for parent in temporary_parents() {
            let Ok(dir) = temporary(&parent, THROW_AWAY, account.passage_mode()) else {
                continue;
            };
            if account.can_enter(&dir) {
                let lock = File::create(dir.join("lock"))?;
                lock.lock()?;
                return Ok(Self { dir, _lock: lock });
            }
            fs::remove_dir(&dir)?;
        }
        bail!(
            "no temporary folder that {} can use; set TMPDIR",
            account.name()
        )
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.dir
    }
}

impl Drop for ThrowAway {
    fn drop(&mut self) {
        // Nothing to be done about a failure here; the next run sweeps what is left.
        let _left_for_the_sweep = fs::remove_dir_all(&self.dir);
    }
}

/// Folders of our earlier runs whose process is gone (a `kill -9` leaves them behind).
pub fn abandoned() -> Vec<PathBuf> {
    let Ok(uid) = own_uid() else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for parent in temporary_parents() {
        let Ok(entries) = fs::read_dir(&parent) else {
            continue;
        };
        found.extend(entries.flatten().map(|entry| entry.path()).filter(|dir| {
            let named = dir.file_name().is_some_and(|name| {
                name.to_str()
                    .is_some_and(|name| name.starts_with(THROW_AWAY))
            });
            // Only what is ours: /tmp belongs to everybody, and we are about to end processes.
            // A very new one may be about to take its lock.
            let settled = |meta: &Metadata| {
                meta.modified()
                    .is_ok_and(|at| at.elapsed().is_ok_and(|age| age > SETTLED))
            };
            named
                && fs::symlink_metadata(dir)
                    .is_ok_and(|meta| meta.is_dir() && meta.uid() == uid && settled(&meta))
                && File::open(dir.join("lock")).is_ok_and(|lock| lock.try_lock().is_ok())
        }));
    }
    found
}

/// Makes a folder that other accounts may at most pass through.
///
/// # Errors
///
/// When it cannot be made, or belongs to somebody else.
pub fn make_private(dir: &Path, account: &Account) -> Result<()> {
    let mode = account.passage_mode();
    match DirBuilder::new().mode(mode).create(dir) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            return Err(error).with_context(|| format!("cannot create {}", dir.display()));
        }
        _ => {}
    }
    fs::set_permissions(dir, Permissions::from_mode(mode)).with_context(|| {
        format!(
            "cannot use {}: does it belong to another user?",
            dir.display()
        )
    })
}

fn temporary_parents() -> Vec<PathBuf> {
    let mut parents = vec![std::env::temp_dir()];
    for usual in ["/tmp", "/var/tmp"].map(PathBuf::from) {
        if !parents.contains(&usual) {
            parents.push(usual);
        }
    }
    parents
}

/// FNV-1a: the standard library's hasher may change with the compiler, and then the stand-in
/// would be lost.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkout_keeps_its_stand_in_for_ever() {
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
        assert_eq!(
            stand_in(Path::new("")),
            Path::new("/var/tmp/tubex-cbf29ce484222325")
        );
    }

    #[test]
    fn the_second_lock_is_refused_and_names_the_first() {
        let account = Account::detect().unwrap();
        let dir = ThrowAway::create(&account).unwrap();
        let home = dir.path().to_path_buf();
        let place = Place {
            checkout: home.clone(),
            home: home.join("."),
            instances: home,
        };
        fs::remove_file(place.home.join("lock")).unwrap();

        let held = place.lock().unwrap();
        let refused = place.lock().unwrap_err().to_string();

        assert!(
            refused.contains(&format!("pid {}", std::process::id())),
            "{refused}"
        );
        drop(held);
        assert!(place.lock().is_ok());
    }
}
