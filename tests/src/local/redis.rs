//! A private Redis in a directory: a cache for one run, behind a password, without persistence.

use std::fs::{self, DirBuilder};
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::account::Account;
use super::say::say;
use super::stop::Stop;
use super::tools::{self, RedisProgram};
use super::{place, port, process, secret};

const START_LIMIT: Duration = Duration::from_secs(20);
const STOP_LIMIT: Duration = Duration::from_secs(5);

/// A running instance; stopped when dropped.
#[derive(Debug)]
pub struct Redis {
    port: u16,
    password: String,
    child: Child,
    log: PathBuf,
    pid_file: PathBuf,
    is_stopped: bool,
}

impl Redis {
    /// Starts an instance that works in `dir`; one that a killed run left there is ended first,
    /// since it holds nothing worth keeping.
    ///
    /// # Errors
    ///
    /// When Redis cannot be had, or does not start; the text ends with its last words.
    pub fn start(dir: &Path) -> Result<Self> {
        let program = tools::redis()?;
        let data = dir.join("data");
        let account = Account::detect()?.for_existing(&data)?;
        place::make_private(dir, &account)?;
        match DirBuilder::new().mode(0o700).create(&data) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                return Err(error).with_context(|| format!("cannot create {}", data.display()));
            }
            _ => account.own(&data)?,
        }
        end_leftover(dir);
        let password = secret::random_text::<24>()?;
        let (log, pid_file) = (dir.join("redis.log"), dir.join("redis.pid"));
        let mut races_left = 5;
        loop {
            let port = port::free(None)?;
            let child = spawn(&program, &account, &data, &log, port, &password)?;
            let password = password.clone();
            let (log, pid_file) = (log.clone(), pid_file.clone());
            let mut redis = Self {
                port,
                password,
                child,
                log,
                pid_file,
                is_stopped: false,
            };
            fs::write(&redis.pid_file, redis.child.id().to_string())?;
            if redis.is_ready()? {
                return Ok(redis);
            }
            let lost_a_race = !port::is_free(port) && races_left > 0;
            if !lost_a_race {
                bail!(
                    "Redis does not start:{}",
                    process::last_lines(&redis.log, 10)
                );
            }
            races_left -= 1;
        }
    }

    /// The address, password included.
    pub fn url(&self) -> String {
        format!("redis://:{}@127.0.0.1:{}/0", self.password, self.port)
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether it takes our password and answers.
    pub fn answers(&self) -> bool {
        let limit = Duration::from_secs(1);
        let ask = || -> std::io::Result<[u8; 12]> {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
            let mut stream = TcpStream::connect_timeout(&address, limit)?;
            stream.set_read_timeout(Some(limit))?;
            write!(stream, "AUTH {}\r\nPING\r\n", self.password)?;
            let mut answer = [0; 12];
            stream.read_exact(&mut answer)?;
            Ok(answer)
        };
        ask().is_ok_and(|answer| &answer == b"+OK\r\n+PONG\r\n")
    }

    /// Kills the instance, as a crash would, and starts it again at the same address. What it held is
    /// gone.
    ///
    /// # Errors
    ///
    /// When it can't be killed, or does not start; or somebody took its port meanwhile.
    pub fn crash(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        let data = self.log.with_file_name("data");
        let (program, account) = (tools::redis()?, Account::detect()?.for_existing(&data)?);
        let (log, password) = (&self.log, &self.password);
        self.child = spawn(&program, &account, &data, log, self.port, password)?;
        fs::write(&self.pid_file, self.child.id().to_string())?;
        if !self.is_ready()? {
            let words = process::last_lines(&self.log, 10);
            bail!("Redis does not start again:{words}");
        }
        Ok(())
    }

    /// Stops the instance.
    ///
    /// # Errors
    ///
    /// When it does not even end when killed.
    pub fn stop(mut self) -> Result<()> {
        self.halt()
    }

    fn halt(&mut self) -> Result<()> {
        if !self.is_stopped {
            self.is_stopped = true;
            process::end_child(&mut self.child, STOP_LIMIT, &Stop::never())?;
            fs::remove_file(&self.pid_file)?;
        }
        Ok(())
    }

    /// Waits until the instance answers; false when it ended instead.
    fn is_ready(&mut self) -> Result<bool> {
        let deadline = Instant::now() + START_LIMIT;
        while self.child.try_wait()?.is_none() {
            if self.answers() {
                return Ok(true);
            }
            if Instant::now() >= deadline {
                let words = process::last_lines(&self.log, 10);
                bail!(
                    "Redis is not ready after {} s:{words}",
                    START_LIMIT.as_secs()
                );
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(false)
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        if let Err(error) = self.halt() {
            say(format!("cannot stop Redis: {error:#}"));
        }
    }
}

/// Ends an instance that a killed run left in `dir`, if there is one.
pub fn end_leftover(dir: &Path) {
    let pid = fs::read_to_string(dir.join("redis.pid"))
        .ok()
        .and_then(|pid| pid.trim().parse().ok());
    if let Some(pid) = pid
        && process::is_ours(pid, &["redis", "valkey"], &dir.join("data"))
    {
        process::end_leftover(pid, STOP_LIMIT);
    }
}

fn spawn(
    program: &RedisProgram,
    account: &Account,
    data: &Path,
    log: &Path,
    port: u16,
    password: &str,
) -> Result<Child> {
    let output = secret::create_private(log)?;
    let mut child = account
        .command(&program.path)
        .arg0(program.called)
        .arg("-")
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(output.try_clone()?)
        .stderr(output)
        .spawn()
        .with_context(|| format!("cannot run {}", program.path.display()))?;
    // Through stdin, because everybody can read the arguments of a process.
    if let Some(mut stdin) = child.stdin.take() {
        let text = settings(data, port, password);
        // It may have ended already; its log then says why, better than a broken pipe.
        let _ended_early = stdin.write_all(text.as_bytes());
    }
    Ok(child)
}

fn settings(data: &Path, port: u16, password: &str) -> String {
    let dir = data
        .display()
        .to_string()
        .replace('\\', "\\\\")
        .replace('"', "\\\"");
    format!(
        "bind 127.0.0.1\nport {port}\nrequirepass {password}\ndir \"{dir}\"\n\
         save \"\"\nappendonly no\ndaemonize no\nlogfile \"\"\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_survive_an_odd_directory_name() {
        let text = settings(Path::new("/tmp/a \"b\""), 4242, "pw");

        assert!(text.contains("\ndir \"/tmp/a \\\"b\\\"\"\n"), "{text}");
        assert!(text.contains("\nport 4242\n"), "{text}");
    }
}
