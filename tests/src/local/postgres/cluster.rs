//! The files of an instance: made once by `initdb`, found again ever after.

use std::fs::{self, DirBuilder};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use super::pid_file::PidFile;
use super::{DATABASE, Durability, OWNER};
use crate::local::account::Account;
use crate::local::say::say;
use crate::local::tools::{self, PostgresPrograms};
use crate::local::{process, secret};

/// A cluster on disk and the programs that fit it.
#[derive(Debug)]
pub(super) struct Cluster {
    pub(super) programs: PostgresPrograms,
    pub(super) account: Account,
    pub(super) data: PathBuf,
    pub(super) log: PathBuf,
    pub(super) password: String,
    port_file: PathBuf,
}

impl Cluster {
    /// Finds the cluster of a directory, or makes one.
    pub(super) fn open_or_create(
        dir: &Path,
        account: Account,
        durability: Durability,
    ) -> Result<Self> {
        let data = dir.join("data");
        let major = major_of(&data)?;
        let programs = tools::postgres(major)?;
        let password_file = dir.join("password");
        let password = match fs::read_to_string(&password_file) {
            Ok(password) => password,
            Err(error) if error.kind() == ErrorKind::NotFound && major.is_none() => {
                let password = secret::random_text::<24>()?;
                secret::write_private(&password_file, password.as_bytes())?;
                password
            }
            Err(error) => {
                return Err(error).with_context(|| {
                    format!(
                        "cannot read {}; without it the data is out of reach, \
                         `make clean-dev` starts afresh",
                        password_file.display()
                    )
                });
            }
        };
        let log = dir.join("postgres.log");
        let port_file = dir.join("port");
        let cluster = Self {
            programs,
            account,
            data,
            log,
            password,
            port_file,
        };
        if major.is_none() {
            cluster.create(dir, durability)?;
        }
        Ok(cluster)
    }

    /// Whether the process that a pid file names is the server of this cluster.
    pub(super) fn is_running(&self, found: &PidFile) -> bool {
        process::is_ours(found.pid, &["postgres"], &self.data)
    }

    /// Ends sessions, writes everything down and stops; says whether it did.
    pub(super) fn stop_fast(&self) -> bool {
        self.pg_ctl_stop("fast", "30")
    }

    /// Stops at once; the next start recovers from the log of changes.
    pub(super) fn stop_immediately(&self) -> bool {
        self.pg_ctl_stop("immediate", "10")
    }

    /// The port of the last start: the same one again is kinder to bookmarks.
    pub(super) fn last_port(&self) -> Option<u16> {
        fs::read_to_string(&self.port_file)
            .ok()?
            .trim()
            .parse()
            .ok()
    }

    /// Keeps the port for the next start.
    pub(super) fn remember_port(&self, port: u16) -> Result<()> {
        fs::write(&self.port_file, port.to_string())
            .with_context(|| format!("cannot write {}", self.port_file.display()))
    }

    fn pg_ctl_stop(&self, mode: &str, seconds: &str) -> bool {
        self.account
            .command(self.programs.bin.join("pg_ctl"))
            .args(["stop", "-w", "-s", "-m", mode, "-t", seconds, "-D"])
            .arg(&self.data)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }

    /// Runs `initdb` beside the final place and moves the result there when it is complete, so
    /// that an interrupted first start leaves nothing that looks like a cluster.
    fn create(&self, dir: &Path, durability: Durability) -> Result<()> {
        let started = Instant::now();
        let staged = dir.join("data.new");
        match fs::remove_dir_all(&staged) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot remove {}", staged.display()));
            }
            _ => {}
        }
        DirBuilder::new()
            .mode(0o700)
            .create(&staged)
            .with_context(|| format!("cannot create {}", staged.display()))?;
        self.account.own(&staged)?;
        let made = self
            .initdb(dir, &staged, durability)
            .and_then(|()| self.add_database(&staged));
        if let Err(error) = made {
            // Whatever stopped us, a full disk perhaps, is not helped by half a cluster.
            let _swept_next_time = fs::remove_dir_all(&staged);
            return Err(error);
        }
        fs::rename(&staged, &self.data)
            .with_context(|| format!("cannot create {}", self.data.display()))?;
        if durability == Durability::Kept {
            let seconds = started.elapsed().as_millis();
            say(format!(
                "Postgres {}: made a database in {seconds} ms",
                self.programs.major
            ));
        }
        Ok(())
    }

    fn initdb(&self, dir: &Path, staged: &Path, durability: Durability) -> Result<()> {
        let password_copy = dir.join("password.initdb");
        secret::write_private(&password_copy, self.password.as_bytes())?;
        self.account.own(&password_copy)?;
        let mut command = self.account.command(self.programs.bin.join("initdb"));
        command
            .args([
                "--encoding=UTF8",
                "--auth=scram-sha-256",
                "--username",
                OWNER,
            ])
            .arg(format!("--locale={}", utf8_locale()))
            .arg(prefixed("--pwfile=", &password_copy))
            .arg("-D")
            .arg(staged);
        if durability != Durability::Kept {
            command.arg("--no-sync");
        }
        let output = command.output();
        fs::remove_file(&password_copy)?;
        let output =
            output.with_context(|| format!("cannot run initdb as {}", self.account.name()))?;
        if !output.status.success() {
            let lines = [output.stdout, output.stderr].concat();
            bail!(
                "initdb failed in {}:{}",
                dir.display(),
                process::tail(&lines, 12)
            );
        }
        Ok(())
    }

    /// Adds our database in single-user mode: no server, no client, no password needed.
    fn add_database(&self, staged: &Path) -> Result<()> {
        let mut child = self
            .account
            .command(self.programs.bin.join("postgres"))
            .args([
                "--single",
                "-c",
                "exit_on_error=on",
                "-c",
                "fsync=off",
                "-D",
            ])
            .arg(staged)
            .arg("postgres")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot run postgres")?;
        if let Some(mut stdin) = child.stdin.take() {
            writeln!(stdin, "CREATE DATABASE {DATABASE}")?;
        }
        let output = child.wait_with_output()?;
        if !output.status.success() {
            bail!(
                "cannot create the database:{}",
                process::tail(&output.stderr, 12)
            );
        }
        Ok(())
    }
}

/// The version that existing data was made by; None when there is no data.
fn major_of(data: &Path) -> Result<Option<u32>> {
    match fs::read_to_string(data.join("PG_VERSION")) {
        Ok(text) => text
            .trim()
            .parse()
            .map(Some)
            .context("PG_VERSION is damaged"),
        Err(error) if error.kind() == ErrorKind::NotFound && !data.exists() => Ok(None),
        Err(error) => Err(error).with_context(|| {
            format!(
                "{} is damaged; `make clean-dev` starts afresh",
                data.display()
            )
        }),
    }
}

/// UTF-8 without any language, so that sorting is the same on every machine.
fn utf8_locale() -> &'static str {
    let known = Command::new("locale").arg("-a").output();
    let has_utf8 = known.is_ok_and(|output| {
        String::from_utf8_lossy(&output.stdout)
            .lines()
            .any(|line| ["C.UTF-8", "C.utf8"].contains(&line.trim()))
    });
    if has_utf8 { "C.UTF-8" } else { "C" }
}

fn prefixed(option: &str, path: &Path) -> std::ffi::OsString {
    let mut argument = std::ffi::OsString::from(option);
    argument.push(path);
    argument
}
