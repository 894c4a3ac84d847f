//! A private PgBouncer in a directory: in transaction mode, in front of one Postgres, until dropped.
//!
//! Logins need no list: it asks Postgres for the verifier of whoever comes, so that a lane may be
//! added while it runs, and what a client proves to it, it proves to Postgres in turn.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use url::Url;

use super::account::Account;
use super::say::say;
use super::{place, port, postgres, process, secret, tools};

const START_LIMIT: Duration = Duration::from_secs(20);
const STOP_LIMIT: Duration = Duration::from_secs(5);

/// A running instance; stopped when dropped.
#[derive(Debug)]
pub struct PgBouncer {
    port: u16,
    child: Child,
    log: PathBuf,
    pid_file: PathBuf,
}

impl PgBouncer {
    /// Starts an instance that works in `dir`, in front of the server of `owner`, a superuser's
    /// address. Each login may have so many connections to each database.
    ///
    /// # Errors
    ///
    /// When PgBouncer cannot be had, or does not start; the text ends with its last words.
    pub fn start(dir: &Path, owner: &Url, pool_size: u16) -> Result<Self> {
        let (program, account) = (tools::pgbouncer()?, Account::detect()?);
        place::make_private(dir, &account)?;
        account.own(dir)?;
        let log = dir.join("pgbouncer.log");
        let mut races_left = 5;
        loop {
            let port = port::free(None)?;
            let settings = write_settings(dir, &account, owner, port, pool_size)?;
            let output = secret::create_private(&log)?;
            let child = account
                .command(&program)
                .arg(&settings)
                .current_dir(dir)
                .stdin(Stdio::null())
                .stdout(output.try_clone()?)
                .stderr(output)
                .spawn()
                .with_context(|| format!("cannot run pgbouncer as {}", account.name()))?;
            let mut instance = Self {
                port,
                child,
                log: log.clone(),
                pid_file: dir.join("pid"),
            };
            fs::write(&instance.pid_file, instance.child.id().to_string())?;
            if instance.is_ready()? {
                return Ok(instance);
            }
            if port::is_free(port) || races_left == 0 {
                bail!(
                    "PgBouncer does not start:{}",
                    process::last_lines(&instance.log, 10)
                );
            }
            races_left -= 1;
        }
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What it has said, its last lines.
    pub fn last_words(&self) -> String {
        process::last_lines(&self.log, 20)
    }

    /// Waits until the instance answers; false when it ended instead.
    fn is_ready(&mut self) -> Result<bool> {
        let deadline = Instant::now() + START_LIMIT;
        while self.child.try_wait()?.is_none() {
            if postgres::answers(self.port) {
                return Ok(true);
            }
            if Instant::now() >= deadline {
                bail!(
                    "PgBouncer is not ready after {} s:{}",
                    START_LIMIT.as_secs(),
                    self.last_words()
                );
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(false)
    }
}

impl Drop for PgBouncer {
    /// Killed, because it holds nothing, and its polite ways to end differ between versions.
    fn drop(&mut self) {
        let ended = self.child.kill().and_then(|()| self.child.wait());
        if let Err(error) = ended.and_then(|_| fs::remove_file(&self.pid_file)) {
            say(format!("cannot stop PgBouncer: {error}"));
        }
    }
}

/// Ends an instance that a killed run left in `dir`, if there is one.
pub fn end_leftover(dir: &Path) {
    let pid = fs::read_to_string(dir.join("pid"))
        .ok()
        .and_then(|pid| pid.trim().parse().ok());
    if let Some(pid) = pid
        && process::is_ours(pid, &["pgbouncer"], dir)
    {
        process::end_leftover(pid, STOP_LIMIT);
    }
}

// * sqlx sends `extra_float_digits`, which PgBouncer doesn't keep per client and so would refuse.
// * No `server_reset_query`: in transaction mode none is sent, and nothing of ours should need it.
// * A server connection is used again at once and by whoever comes next: that is the point.
fn write_settings(
    dir: &Path,
    account: &Account,
    owner: &Url,
    port: u16,
    pool_size: u16,
) -> Result<PathBuf> {
    let (host, server_port) = (
        owner.host_str().context("the owner's address has a host")?,
        owner.port().unwrap_or(5432),
    );
    let (login, password) = (
        owner.username(),
        owner
            .password()
            .context("the owner's address has a password")?,
    );
    let logins = dir.join("logins.txt");
    write_for(account, &logins, &format!("\"{login}\" \"{password}\"\n"))?;
    let settings = dir.join("pgbouncer.ini");
    let text = format!(
        "[databases]\n\
         * = host={host} port={server_port} auth_user={login}\n\
         [pgbouncer]\n\
         listen_addr = 127.0.0.1\n\
         listen_port = {port}\n\
         unix_socket_dir =\n\
         auth_type = scram-sha-256\n\
         auth_file = {}\n\
         auth_query = SELECT rolname, rolpassword FROM pg_authid WHERE rolname = $1\n\
         pool_mode = transaction\n\
         default_pool_size = {pool_size}\n\
         max_client_conn = 1000\n\
         server_login_retry = 1\n\
         ignore_startup_parameters = extra_float_digits\n",
        logins.display()
    );
    write_for(account, &settings, &text)?;
    Ok(settings)
}

fn write_for(account: &Account, path: &Path, text: &str) -> Result<()> {
    secret::write_private(path, text.as_bytes())?;
    account.own(path)
}
