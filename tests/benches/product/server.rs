//! The server as a process of its own, so that its memory is its own.

use std::fs::File;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use reqwest::Client;
use tests::{Actor, Scratch, server_binary};

use super::fleet::PASSWORD;
use super::say;

/// Budgets that are kept, and never used up.
const MANY: &str = "10000000";
/// How long a start may take before the bench gives up.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running server; it ends when this is dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    log: PathBuf,
    _folder: tempfile::TempDir,
    /// Where it listens, as `http://127.0.0.1:port`.
    pub base: String,
    /// From the start of the process to the first good answer of `/readyz`.
    pub ready_after: Duration,
    client: Client,
}

/// What a process is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It serves, and works in the background.
    Both,
    /// It serves.
    Api,
    /// It works in the background.
    Worker,
}

/// Somebody who has signed in.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// The dealer.
    pub slug: String,
    /// Its host header.
    pub host: String,
    /// The access token.
    pub token: String,
    /// Its owner, for requests of our own.
    pub owner: Actor,
}

impl Server {
    /// Starts it and waits until it is ready.
    ///
    /// # Errors
    ///
    /// When it doesn't become ready.
    pub async fn start(database: &Scratch) -> Result<Self> {
        let redis = std::env::var("TUBEX_TEST_REDIS_URL").unwrap_or_default();
        Self::start_beside(database, &redis).await
    }

    /// The same beside another Redis, or beside none.
    ///
    /// # Errors
    ///
    /// When it doesn't become ready.
    pub async fn start_beside(database: &Scratch, redis: &str) -> Result<Self> {
        // Price files are loaded in the background, and what that takes counts as well.
        Self::start_as(Role::Both, database, redis).await
    }

    /// The same as one of several processes.
    ///
    /// # Errors
    ///
    /// When it doesn't become ready.
    pub async fn start_as(role: Role, database: &Scratch, redis: &str) -> Result<Self> {
        let (role, inside) = match role {
            Role::Both => ("api", "true"),
            Role::Api => ("api", "false"),
            Role::Worker => ("worker", "false"),
        };
        let listen = format!("127.0.0.1:{}", free_port()?);
        let folder = tempfile::tempdir()?;
        let log = folder.path().join("log");
        let started = Instant::now();
        let child = Command::new(server_binary())
            .arg(role)
            .env("TUBEX_HTTP__LISTEN", &listen)
            .env("TUBEX_METRICS__LISTEN", "127.0.0.1:0")
            .env("TUBEX_STORAGE__DIRECTORY", database.storage())
            .env("TUBEX_JOBS__INSIDE", inside)
            .env("TUBEX_DATABASE__URL", database.server_url())
            .env("TUBEX_DATABASE__SECRET", database.secret())
            .env("TUBEX_REDIS__URL", redis)
            .env(
                "TUBEX_AUTH__TOKEN_SECRET",
                "a token secret for benches, long enough",
            )
            // Whoever measures asks for more than anybody should.
            .env("TUBEX_LIMITS__ADDRESS_PER_MINUTE", MANY)
            .env("TUBEX_LIMITS__ADDRESS_BURST", MANY)
            .env("TUBEX_LIMITS__AUTH_PER_MINUTE", MANY)
            .env("TUBEX_LIMITS__AUTH_BURST", MANY)
            .env("TUBEX_LIMITS__READ_PER_MINUTE", MANY)
            .env("TUBEX_LIMITS__READ_BURST", MANY)
            .env("TUBEX_LIMITS__WRITE_PER_MINUTE", MANY)
            .env("TUBEX_LIMITS__WRITE_BURST", MANY)
            .env("TUBEX_LIMITS__TENANT_PER_MINUTE", MANY)
            .env("TUBEX_LIMITS__TENANT_BURST", MANY)
            .env("TUBEX_LIVE__STREAMS_PER_FOLLOWER", "100000")
            // No token may run out while it is used.
            .env("TUBEX_AUTH__ACCESS_MINUTES", "60")
            // A log costs what it costs: it goes to a file, as it would in a container.
            .stdout(File::create(&log)?)
            .stderr(Stdio::inherit())
            .spawn()
            .context("the server is built by `make bench` before it is measured")?;
        let mut server = Self {
            child,
            log,
            _folder: folder,
            base: format!("http://{listen}"),
            ready_after: Duration::ZERO,
            client: Client::new(),
        };
        server.wait(started).await?;
        Ok(server)
    }

    async fn wait(&mut self, started: Instant) -> Result<()> {
        let address = format!("{}/readyz", self.base);
        while started.elapsed() < PATIENCE {
            let reply = self.client.get(&address).send().await;
            if reply.is_ok_and(|reply| reply.status().is_success()) {
                self.ready_after = started.elapsed();
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        bail!("the server did not become ready; it said:\n{log}")
    }

    /// Signs a dealer's owner in.
    ///
    /// # Errors
    ///
    /// When it is refused.
    pub async fn enter(&self, slug: &str) -> Result<SignedIn> {
        let host = format!("{slug}.localhost");
        let stranger = Actor::stranger(self.client.clone(), &self.base, &host);
        let email = format!("owner@{slug}.example");
        let reply = stranger.sign_in(&email, PASSWORD).await.expect(200);
        let token = reply.json["access_token"].as_str().context("a token")?;
        Ok(SignedIn {
            slug: slug.to_owned(),
            host,
            token: token.to_owned(),
            owner: stranger.with_token(token),
        })
    }

    /// Whether it says that a dealer is suspended.
    ///
    /// # Errors
    ///
    /// When it doesn't answer.
    pub async fn suspends(&self, slug: &str) -> Result<bool> {
        let stranger = Actor::stranger(
            self.client.clone(),
            &self.base,
            &format!("{slug}.localhost"),
        );
        Ok(stranger.get("/").await.problem() == "tenant_suspended")
    }

    /// The most memory it has had so far, MB.
    ///
    /// # Errors
    ///
    /// Where there is no `/proc`.
    pub fn peak_memory_mb(&self) -> Result<f64> {
        self.memory_of("VmHWM:")
    }

    /// The memory it has now, MB.
    ///
    /// # Errors
    ///
    /// Where there is no `/proc`.
    pub fn memory_mb(&self) -> Result<f64> {
        self.memory_of("VmRSS:")
    }

    fn memory_of(&self, kind: &str) -> Result<f64> {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(&path)
            .with_context(|| format!("memory is read from {path}, which only Linux has"))?;
        let kib: f64 = status
            .lines()
            .find_map(|line| line.strip_prefix(kind))
            .and_then(|rest| rest.split_whitespace().next())
            .context("a process has a peak")?
            .parse()?;
        Ok(kib * 1024.0 / 1e6)
    }
}

impl Drop for Server {
    /// Shows what the server warned of: a measurement with warnings deserves a second look.
    fn drop(&mut self) {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        // That it isn't ready yet is no news.
        let warnings = log.lines().filter(|line| {
            let is_warning = [r#""level":"WARN""#, r#""level":"ERROR""#]
                .iter()
                .any(|level| line.contains(level));
            is_warning && !line.contains("/readyz")
        });
        for warning in warnings.take(10) {
            say(format!("the server said: {warning}"));
        }
        // It may have ended by itself; then there is nothing to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that nobody listened on a moment ago.
fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
