//! A private Postgres in a directory: made on first use, found again on the next, stopped in order.
//!
//! The directory holds `data` (the cluster), `password`, `port` and `postgres.log`. Readiness is
//! read from `postmaster.pid`, the way `pg_ctl` does it, so no client library is needed.

mod cluster;
mod pid_file;

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use self::cluster::Cluster;
use self::pid_file::PidFile;
use super::account::Account;
use super::say::say;
use super::{place, port, process, secret};

/// The superuser of every instance: it owns schemas and runs DDL.
pub const OWNER: &str = "tubex_owner";

/// The database that `make dev` works in; every instance has it.
pub const DATABASE: &str = "tubex";

/// Crash recovery of a large cluster takes its time; nobody waits longer than this.
const START_LIMIT: Duration = Duration::from_secs(120);

/// How long processes of a killed predecessor may hold on to its memory.
const ORPHANS_LIMIT: Duration = Duration::from_secs(15);

/// What a power failure may do to the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Nothing: committed is committed.
    Kept,
    /// Anything: it is removed after the run, and speed is all that counts.
    ThrowAway,
    /// The same, in an instance that holds a few dealers only and should cost little memory.
    ThrowAwayNode,
}

impl Durability {
    fn settings(self) -> &'static [&'static str] {
        match self {
            Self::Kept => &["max_connections=200", "max_locks_per_transaction=256"],
            Self::ThrowAway => &[
                "max_connections=400",
                "max_locks_per_transaction=256",
                "shared_buffers=256MB",
                "fsync=off",
                "synchronous_commit=off",
                "full_page_writes=off",
                "autovacuum=on",
            ],
            Self::ThrowAwayNode => &[
                "max_connections=100",
                "max_locks_per_transaction=128",
                "shared_buffers=32MB",
                "fsync=off",
                "synchronous_commit=off",
                "full_page_writes=off",
                "autovacuum=on",
            ],
        }
    }
}

/// How an instance is stopped to be started again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopping {
    /// Sessions end, everything is written down.
    Fast,
    /// As in a crash: the next start recovers.
    Immediate,
}

/// A running instance; stopped when dropped, data kept.
#[derive(Debug)]
pub struct Postgres {
    cluster: Cluster,
    durability: Durability,
    port: u16,
    /// None when the instance was started by a process that is gone.
    child: Option<Child>,
    is_stopped: bool,
}

impl Postgres {
    /// Starts the instance of a directory, or takes over the one that still runs there.
    ///
    /// # Errors
    ///
    /// When Postgres cannot be had, or does not start; the text ends with its last words.
    pub fn start(dir: &Path, durability: Durability) -> Result<Self> {
        let account = Account::detect()?.for_existing(&dir.join("data"))?;
        place::make_private(dir, &account)?;
        let cluster = Cluster::open_or_create(dir, account, durability)?;
        let left_over = PidFile::read(&cluster.data);
        if let Some(found) = &left_over {
            if cluster.is_running(found) {
                if let Some(port) = healthy_port(&cluster.data, Duration::from_secs(5)) {
                    say("Postgres of an earlier run is still there: taking it over");
                    return Ok(Self {
                        cluster,
                        durability,
                        port,
                        child: None,
                        is_stopped: false,
                    });
                }
                cluster.stop_immediately();
            } else if process::name(found.pid).is_some_and(|name| !name.starts_with("postgres")) {
                // The id was given to some other program since; Postgres would take that one
                // for a predecessor and refuse to start.
                fs::remove_file(PidFile::path(&cluster.data))?;
            }
        } else {
            PidFile::remove_if_empty(&cluster.data)?;
        }
        let (port, child) = launch(&cluster, durability, left_over.is_some())?;
        Ok(Self {
            cluster,
            durability,
            port,
            child: Some(child),
            is_stopped: false,
        })
    }

    /// The superuser's address of a database.
    pub fn url(&self, database: &str) -> String {
        let password = &self.cluster.password;
        format!(
            "postgres://{OWNER}:{password}@127.0.0.1:{}/{database}",
            self.port
        )
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The id of the main process.
    pub fn pid(&self) -> Option<u32> {
        PidFile::read(&self.cluster.data).map(|found| found.pid)
    }

    /// The last words of an instance that ended without being asked to; None while it runs.
    pub fn obituary(&mut self) -> Option<String> {
        let ended = match &mut self.child {
            Some(child) => child.try_wait().is_ok_and(|status| status.is_some()),
            None => {
                !PidFile::read(&self.cluster.data).is_some_and(|pid| self.cluster.is_running(&pid))
            }
        };
        ended.then(|| process::last_lines(&self.cluster.log, 15))
    }

    /// Stops the instance and starts it again at the same address.
    ///
    /// # Errors
    ///
    /// When it does not stop, or does not start; or somebody took its port meanwhile.
    pub fn restart(&mut self, stopping: Stopping) -> Result<()> {
        let stopped = match stopping {
            Stopping::Fast => self.cluster.stop_fast(),
            Stopping::Immediate => self.cluster.stop_immediately(),
        };
        if !stopped {
            bail!("Postgres did not stop");
        }
        if let Some(mut child) = self.child.take() {
            child.wait()?;
        }
        let (port, child) = launch(&self.cluster, self.durability, true)?;
        self.child = Some(child);
        if port != self.port {
            bail!("the port of Postgres was taken while it was down");
        }
        Ok(())
    }

    /// Stops the instance: politely, then firmly.
    ///
    /// # Errors
    ///
    /// When it does not even end when killed.
    pub fn stop(mut self) -> Result<()> {
        self.halt()
    }

    fn halt(&mut self) -> Result<()> {
        if self.is_stopped {
            return Ok(());
        }
        self.is_stopped = true;
        if self.obituary().is_none() {
            let politely = self.durability == Durability::Kept && self.cluster.stop_fast();
            if !politely {
                self.cluster.stop_immediately();
            }
        }
        let Some(child) = &mut self.child else {
            return Ok(());
        };
        if process::wait_at_most(child, Duration::from_secs(2))?.is_none() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Err(error) = self.halt() {
            say(format!("cannot stop Postgres: {error:#}"));
        }
    }
}

/// Starts the server program until it is ready. A port lost to somebody else is replaced, and
/// after a crash the remains of the predecessor are given time to disappear.
fn launch(cluster: &Cluster, durability: Durability, after_crash: bool) -> Result<(u16, Child)> {
    let started = Instant::now();
    let mut races_left = 5;
    loop {
        let port = port::free(cluster.last_port())?;
        let mut child = spawn(cluster, durability, port)?;
        if is_ready(cluster, &mut child)? {
            cluster.remember_port(port)?;
            return Ok((port, child));
        }
        let lost_a_race = !port::is_free(port) && races_left > 0;
        let awaits_orphans = after_crash && started.elapsed() < ORPHANS_LIMIT;
        if !lost_a_race && !awaits_orphans {
            bail!(
                "Postgres does not start:{}",
                process::last_lines(&cluster.log, 15)
            );
        }
        races_left -= i32::from(lost_a_race);
        thread::sleep(Duration::from_millis(200));
    }
}

fn spawn(cluster: &Cluster, durability: Durability, port: u16) -> Result<Child> {
    let log = secret::create_private(&cluster.log)?;
    let mut command = cluster
        .account
        .command(cluster.programs.bin.join("postgres"));
    command
        .arg("-D")
        .arg(&cluster.data)
        .arg("-p")
        .arg(port.to_string());
    let common = [
        "listen_addresses=127.0.0.1",
        "unix_socket_directories=",
        "log_line_prefix=%m [%p] %q%u@%d ",
        "log_timezone=UTC",
        "timezone=UTC",
    ];
    for setting in common.iter().chain(durability.settings()) {
        command.args(["-c", setting]);
    }
    command
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
        .with_context(|| format!("cannot run postgres as {}", cluster.account.name()))
}

/// Waits until a new server is ready; false when it ended instead.
fn is_ready(cluster: &Cluster, child: &mut Child) -> Result<bool> {
    let deadline = Instant::now() + START_LIMIT;
    while child.try_wait()?.is_none() {
        let state = PidFile::read(&cluster.data);
        if state.is_some_and(|state| state.pid == child.id() && state.is_ready) {
            return Ok(true);
        }
        if Instant::now() >= deadline {
            child.kill()?;
            child.wait()?;
            bail!(
                "Postgres is not ready after {} s:{}",
                START_LIMIT.as_secs(),
                process::last_lines(&cluster.log, 15)
            );
        }
        thread::sleep(Duration::from_millis(10));
    }
    Ok(false)
}

/// The port of a running instance that says it is ready and answers.
fn healthy_port(data: &Path, limit: Duration) -> Option<u16> {
    let deadline = Instant::now() + limit;
    loop {
        let state = PidFile::read(data)?;
        if state.is_ready && answers(state.port) {
            return Some(state.port);
        }
        if Instant::now() >= deadline {
            return None;
        }
        thread::sleep(Duration::from_millis(50));
    }
}

/// Whether something that speaks Postgres listens: it must answer "may we use TLS?".
pub fn answers(port: u16) -> bool {
    const TLS_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];
    let limit = Duration::from_secs(1);
    let ask = || -> std::io::Result<u8> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut stream = TcpStream::connect_timeout(&address, limit)?;
        stream.set_read_timeout(Some(limit))?;
        stream.write_all(&TLS_REQUEST)?;
        let mut answer = [0];
        stream.read_exact(&mut answer)?;
        Ok(answer[0])
    };
    matches!(ask(), Ok(b'S' | b'N'))
}

/// Chooses the owner's password of an instance that has yet to be made in `dir`.
///
/// # Errors
///
/// When the directory is not writable.
pub fn choose_password(dir: &Path, password: &str) -> Result<()> {
    secret::write_private(&dir.join("password"), password.as_bytes())
}

/// Ends an instance that a killed run left in `dir`, if there is one.
pub fn end_leftover(dir: &Path) {
    let data: PathBuf = dir.join("data");
    if let Some(found) = PidFile::read(&data)
        && process::is_ours(found.pid, &["postgres"], &data)
    {
        // Postgres takes SIGTERM for "when everybody has left"; SIGINT is its fast stop.
        process::send(
            process::Signal::Interrupt,
            process::Target::Process(found.pid),
        );
        if !process::wait_gone(found.pid, Duration::from_secs(20)) {
            process::send(process::Signal::Kill, process::Target::Process(found.pid));
            process::wait_gone(found.pid, Duration::from_secs(5));
        }
    }
}
