//! The system account that databases run as: ours, or an unprivileged one when we are root.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// Who a database process is.
#[derive(Clone, Debug)]
pub struct Account {
    ids: Option<Ids>,
    name: String,
}

#[derive(Clone, Copy, Debug)]
struct Ids {
    uid: u32,
    gid: u32,
}

impl Account {
    /// Ourselves; as root the user `postgres`, else `nobody`, because Postgres refuses uid 0.
    ///
    /// # Errors
    ///
    /// When `id` fails, or root has no such user to step down to.
    pub fn detect() -> Result<Self> {
        if own_uid()? != 0 {
            return Ok(Self {
                ids: None,
                name: "you".to_owned(),
            });
        }
        for name in ["postgres", "nobody"] {
            if let (Some(uid), Some(gid)) = (id(&["-u", name]), id(&["-g", name])) {
                return Ok(Self {
                    ids: Some(Ids { uid, gid }),
                    name: name.to_owned(),
                });
            }
        }
        bail!("Postgres refuses to run as root, and there is no user postgres or nobody to use")
    }

    /// The account for a directory that may exist since an earlier run.
    ///
    /// # Errors
    ///
    /// When it belongs to somebody whom we cannot become.
    pub fn for_existing(&self, data: &Path) -> Result<Self> {
        let Ok(found) = fs::metadata(data) else {
            return Ok(self.clone());
        };
        match self.ids {
            Some(ids) if ids.uid == found.uid() => Ok(self.clone()),
            // Made by an ordinary user, now started by root: keep serving it as that user.
            Some(_) if found.uid() != 0 => Ok(Self {
                ids: Some(Ids {
                    uid: found.uid(),
                    gid: found.gid(),
                }),
                name: format!("of uid {}", found.uid()),
            }),
            None if own_uid()? == found.uid() => Ok(self.clone()),
            _ => bail!(
                "{} belongs to another user (uid {}); was it made with sudo? \
                 remove it in the same way: sudo make clean-dev",
                data.display(),
                found.uid()
            ),
        }
    }

    /// How to call this account in a sentence.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The permissions of a directory that holds instances: other accounts may pass through
    /// it only if they have to.
    pub fn passage_mode(&self) -> u32 {
        if self.ids.is_some() { 0o711 } else { 0o700 }
    }

    /// A command that runs as this account, in its own process group, so that a terminal's
    /// Ctrl-C reaches us only and we can stop things in order.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .process_group(0)
            .current_dir("/")
            .stdin(Stdio::null());
        // The person's PGDATA, PGPORT and so on mean another cluster.
        for (key, _) in std::env::vars_os() {
            if key.to_str().is_some_and(|key| key.starts_with("PG")) {
                command.env_remove(key);
            }
        }
        // A locale that is named but not installed makes initdb fail.
        command
            .env("LC_ALL", "C")
            .env_remove("LANG")
            .env_remove("LANGUAGE");
        if let Some(ids) = self.ids {
            command.uid(ids.uid).gid(ids.gid);
        }
        command
    }

    /// Gives a file or a directory to this account.
    ///
    /// # Errors
    ///
    /// When the file system refuses.
    pub fn own(&self, path: &Path) -> Result<()> {
        let Some(ids) = self.ids else { return Ok(()) };
        chown(path, Some(ids.uid), Some(ids.gid))
            .with_context(|| format!("cannot give {} to {}", path.display(), self.name))
    }

    /// Whether this account can reach a directory, tried rather than computed: access lists and
    /// mount options count too.
    pub fn can_enter(&self, dir: &Path) -> bool {
        self.command("/bin/sh")
            .args(["-c", r#"cd -- "$1""#, "sh"])
            .arg(dir)
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }
}

/// The numeric id of the user that runs us.
///
/// # Errors
///
/// When `id` is missing or answers nonsense.
pub fn own_uid() -> Result<u32> {
    id(&["-u"]).context("cannot run `id -u`")
}

fn id(args: &[&str]) -> Option<u32> {
    let output = Command::new("id")
        .args(args)
        .stderr(Stdio::null())
        .output()
        .ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}
