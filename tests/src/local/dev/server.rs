//! The server process of `make dev`: its environment, its log, its readiness, its end.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::log::{self, Follower};
use super::ready;
use super::secrets::Secrets;
use crate::local::place::Place;
use crate::local::say::say;
use crate::local::stop::Stop;
use crate::local::{process, secret};

const READY_LIMIT: Duration = Duration::from_secs(60);

/// Longer than the server's own limit for requests that are under way.
const STOP_LIMIT: Duration = Duration::from_secs(35);

/// More lines than this at once are counted instead of shown.
const ECHO_LIMIT: usize = 20;

/// What a server is started with.
#[derive(Debug)]
pub struct Settings {
    /// The program.
    pub program: PathBuf,
    /// The port on 127.0.0.1.
    pub port: u16,
    /// The address it signs in to its database with.
    pub database_url: String,
    /// Its cache, if there is one.
    pub redis_url: Option<String>,
}

/// A running server; stopped when dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    port: u16,
    log: PathBuf,
    pid_file: PathBuf,
    follower: Follower,
    is_ready: bool,
    is_stopped: bool,
}

impl Server {
    /// Starts `server api`; its log goes to `.local/server.log`, the one before is kept as `.1`.
    ///
    /// # Errors
    ///
    /// When the log cannot be written or the program cannot be run.
    pub fn start(place: &Place, settings: &Settings, secrets: &Secrets) -> Result<Self> {
        let log = place.home.join("server.log");
        if log.exists() {
            fs::rename(&log, place.home.join("server.log.1"))?;
        }
        let output = secret::create_private(&log)?;
        let follower = Follower::open(&log);
        let mut command = Command::new(&settings.program);
        command
            .arg("api")
            .process_group(0)
            .current_dir(&place.checkout)
            .env("TUBEX_DATABASE__URL", &settings.database_url)
            .env("TUBEX_DATABASE__SECRET", secrets.database_secret())
            .env("TUBEX_AUTH__TOKEN_SECRET", secrets.token_secret())
            .env("TUBEX_HTTP__LISTEN", format!("127.0.0.1:{}", settings.port))
            .env("TUBEX_METRICS__LISTEN", "127.0.0.1:0")
            // One process does everything here, background work too.
            .env("TUBEX_JOBS__INSIDE", "true")
            .env("TUBEX_HTTP__BASE_DOMAIN", "localhost")
            .env("TUBEX_HTTP__PUBLIC_PORT", settings.port.to_string())
            // Messages that somebody would get are files here, and their links work.
            .env("TUBEX_MAIL__TRANSPORT", "files")
            .env("TUBEX_MAIL__DIRECTORY", place.home.join("mail"))
            .env("TUBEX_MAIL__PAGE", "true")
            .env("TUBEX_STORAGE__DIRECTORY", place.home.join("files"))
            // Meant for `tubex`; the server refuses variables that it does not know.
            .env_remove("TUBEX_LOG")
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output);
        if let Some(url) = &settings.redis_url {
            command.env("TUBEX_REDIS__URL", url);
        }
        let child = command
            .spawn()
            .with_context(|| format!("cannot run {}", settings.program.display()))?;
        let pid_file = pid_file(place);
        let server = Self {
            child,
            port: settings.port,
            log,
            pid_file,
            follower,
            is_ready: false,
            is_stopped: false,
        };
        fs::write(&server.pid_file, server.child.id().to_string())?;
        Ok(server)
    }

    /// Waits until the server takes requests.
    ///
    /// # Errors
    ///
    /// When it ends instead or takes too long, with its last words;
    /// [`crate::local::stop::Interrupted`] when somebody asks to stop.
    pub fn wait_until_ready(&mut self, stop: &Stop) -> Result<()> {
        let deadline = Instant::now() + READY_LIMIT;
        loop {
            stop.check()?;
            self.echo_log();
            // First whether it lives: somebody else may have taken the port and answer there.
            if let Some(obituary) = self.obituary()? {
                bail!(obituary);
            }
            let answer = ready::ask(self.port);
            if matches!(answer, Some((200, _))) {
                self.echo_log();
                self.is_ready = true;
                return Ok(());
            }
            if Instant::now() >= deadline {
                let answer = answer.map_or_else(
                    || "it does not answer".to_owned(),
                    |(status, body)| format!("/readyz answers {status} {body}"),
                );
                bail!(
                    "the server is not ready after {} s: {answer}{}",
                    READY_LIMIT.as_secs(),
                    self.last_words()
                );
            }
            stop.pause(Duration::from_millis(50));
        }
    }

    /// Repeats new warnings and errors at the terminal.
    pub fn echo_log(&mut self) {
        // Until it is ready it says so to whoever asks, and that is us.
        let is_our_own_doing = |line: &str| !self.is_ready && line.contains("/readyz");
        let news = self.follower.new_lines();
        let lines: Vec<String> = news
            .iter()
            .filter(|line| !is_our_own_doing(line))
            .filter_map(|line| log::shown(line))
            .collect();
        for line in lines.iter().take(ECHO_LIMIT) {
            say(line);
        }
        if lines.len() > ECHO_LIMIT {
            say(format!(
                "… {} more in {}",
                lines.len() - ECHO_LIMIT,
                self.log.display()
            ));
        }
    }

    /// How it ended, with its last words; None while it runs.
    ///
    /// # Errors
    ///
    /// When the system cannot tell.
    pub fn obituary(&mut self) -> Result<Option<String>> {
        let Some(status) = self.child.try_wait()? else {
            return Ok(None);
        };
        let words = self.last_words();
        Ok(Some(format!(
            "the server ended by itself ({status}):{words}"
        )))
    }

    fn last_words(&self) -> String {
        let lines = process::end_of(&self.log, 15);
        process::indented(
            &lines
                .iter()
                .map(|line| log::short(line))
                .collect::<Vec<_>>(),
        )
    }

    /// Asks it to finish what it does and end; kills it when that takes too long or somebody is
    /// impatient.
    ///
    /// # Errors
    ///
    /// When the system cannot tell whether it ended.
    pub fn stop(mut self, stop: &Stop) -> Result<()> {
        self.halt(stop)
    }

    fn halt(&mut self, stop: &Stop) -> Result<()> {
        if !self.is_stopped {
            self.is_stopped = true;
            process::end_child(&mut self.child, STOP_LIMIT, stop)?;
            self.echo_log();
            fs::remove_file(&self.pid_file)?;
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Only reached when the start fails half-way: nobody is being served yet.
        if let Err(error) = self.halt(&Stop::never()) {
            say(format!("cannot stop the server: {error:#}"));
        }
    }
}

/// Ends a server that a killed `make dev` of this checkout left behind.
pub fn end_leftover(place: &Place) {
    let pid = fs::read_to_string(pid_file(place))
        .ok()
        .and_then(|pid| pid.trim().parse().ok());
    if let Some(pid) = pid
        && process::is_ours(pid, &["server"], Path::new(&place.checkout))
    {
        say("the server of an earlier run is still there: stopping it");
        process::end_leftover(pid, Duration::from_secs(10));
    }
}

fn pid_file(place: &Place) -> PathBuf {
    place.home.join("server.pid")
}
