//! The real server program as a process of its own, which can be killed, asked to end and started
//! again, and whose every word is listened to.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::actor::Actor;
use super::database::Scratch;
use super::eventually::eventually;
use super::programs::{errand_worker_binary, server_binary};
use crate::local::port;
use crate::local::process::{self, Signal, Target};

/// Lines that are kept for whoever looks at a failure.
const KEPT: usize = 200;

/// A server on a port that it keeps from one start to the next; killed when dropped.
#[derive(Debug)]
pub struct ServerProcess {
    program: PathBuf,
    role: &'static str,
    keys: Vec<(String, String)>,
    /// Longest file that it can write, KiB.
    room_kib: Option<u64>,
    base: String,
    metrics: String,
    said: Arc<Mutex<Said>>,
    running: Option<(Child, [JoinHandle<()>; 2])>,
}

#[derive(Debug, Default)]
struct Said {
    forbidden: &'static str,
    breaches: Vec<String>,
    last: VecDeque<String>,
}

impl ServerProcess {
    /// Starts a server and waits until it is ready. No line that it says may hold the forbidden
    /// word. `keys` win over the usual ones.
    ///
    /// # Panics
    ///
    /// When it doesn't become ready.
    pub async fn start(database: &Scratch, keys: &[(&str, &str)], forbidden: &'static str) -> Self {
        let program = server_binary();
        Self::start_program((program, "api"), database, keys, forbidden, None).await
    }

    /// Starts a server on whose disk no file gets longer than so many KiB: what goes beyond is refused
    /// as by a disk that is full.
    ///
    /// # Panics
    ///
    /// When it doesn't become ready.
    pub async fn with_room(database: &Scratch, keys: &[(&str, &str)], room_kib: u64) -> Self {
        let program = (server_binary(), "api");
        Self::start_program(program, database, keys, "", Some(room_kib)).await
    }

    /// Starts a worker, which serves nobody, and waits until it is ready.
    ///
    /// # Panics
    ///
    /// When it doesn't become ready.
    pub async fn worker(database: &Scratch, keys: &[(&str, &str)]) -> Self {
        Self::start_program((server_binary(), "worker"), database, keys, "", None).await
    }

    /// Starts a worker that also does errands, the jobs of tests.
    ///
    /// # Panics
    ///
    /// When it doesn't become ready.
    pub async fn errand_worker(database: &Scratch, keys: &[(&str, &str)]) -> Self {
        let program = (errand_worker_binary(), "worker");
        Self::start_program(program, database, keys, "", None).await
    }

    async fn start_program(
        (program, role): (PathBuf, &'static str),
        database: &Scratch,
        keys: &[(&str, &str)],
        forbidden: &'static str,
        room_kib: Option<u64>,
    ) -> Self {
        let listen = format!("127.0.0.1:{}", port::free(None).expect("a port is free"));
        let metrics = format!("127.0.0.1:{}", port::free(None).expect("a port is free"));
        let redis = std::env::var("TUBEX_TEST_REDIS_URL").unwrap_or_default();
        let (url, storage) = (database.server_url(), database.storage());
        let usual = [
            ("TUBEX_HTTP__LISTEN", listen.as_str()),
            ("TUBEX_HTTP__WORKERS", "1"),
            ("TUBEX_METRICS__LISTEN", metrics.as_str()),
            ("TUBEX_DATABASE__URL", url.as_str()),
            ("TUBEX_DATABASE__SECRET", database.secret()),
            ("TUBEX_REDIS__URL", redis.as_str()),
            ("TUBEX_STORAGE__DIRECTORY", storage.as_str()),
            (
                "TUBEX_AUTH__TOKEN_SECRET",
                "a token secret for tests, long enough",
            ),
        ];
        let pairs = usual.iter().chain(keys);
        let mut server = Self {
            program,
            role,
            keys: pairs
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect(),
            room_kib,
            base: format!("http://{listen}"),
            metrics: format!("http://{metrics}/metrics"),
            said: Arc::new(Mutex::new(Said {
                forbidden,
                ..Said::default()
            })),
            running: None,
        };
        server.start_again().await;
        server
    }

    /// Starts it where it was, and waits until it is ready.
    ///
    /// # Panics
    ///
    /// When it doesn't become ready.
    pub async fn start_again(&mut self) {
        let mut child = self.command().spawn().expect("the server is built");
        let readers = [
            listen_to(child.stdout.take().expect("piped"), &self.said),
            listen_to(child.stderr.take().expect("piped"), &self.said),
        ];
        self.running = Some((child, readers));
        let anybody = reqwest::Client::new();
        let ready = format!("{}/readyz", self.base);
        eventually("the server is ready", async || {
            let reply = anybody.get(&ready).send().await;
            reply.is_ok_and(|reply| reply.status().is_success())
        })
        .await;
    }

    /// Somebody at a host who has not signed in.
    pub fn stranger(&self, host: &str) -> Actor {
        Actor::stranger(reqwest::Client::new(), &self.base, host)
    }

    /// Where it listens, as `http://127.0.0.1:port`.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Ends it without a word of warning.
    ///
    /// # Panics
    ///
    /// When it can't be killed.
    pub fn kill(&mut self) {
        let Some((mut child, readers)) = self.running.take() else {
            return;
        };
        let ended = child.kill().and_then(|()| child.wait());
        ended.expect("it is our child");
        for reader in readers {
            reader.join().expect("what it said last has been read");
        }
    }

    /// Has it stand still, as if its machine was suspended.
    ///
    /// # Panics
    ///
    /// When it isn't running.
    pub fn suspend(&self) {
        self.signal(Signal::Stop);
    }

    /// Lets it go on after [`ServerProcess::suspend`].
    ///
    /// # Panics
    ///
    /// When it isn't running.
    pub fn resume(&self) {
        self.signal(Signal::Continue);
    }

    fn signal(&self, signal: Signal) {
        let (child, _) = self.running.as_ref().expect("it runs");
        process::send(signal, Target::Process(child.id()));
    }

    /// Asks it to end and waits until it has, for some seconds, without holding up other tasks.
    ///
    /// # Panics
    ///
    /// When it isn't running, or doesn't end.
    pub async fn terminate(&mut self) -> ExitStatus {
        let (mut child, readers) = self.running.take().expect("it runs");
        process::send(Signal::Terminate, Target::Process(child.id()));
        let mut status = None;
        eventually("the server ends when asked to", async || {
            status = child.try_wait().expect("it is our child");
            status.is_some()
        })
        .await;
        for reader in readers {
            reader.join().expect("what it said last has been read");
        }
        status.expect("waited for")
    }

    /// Lines with the forbidden word.
    pub fn breaches(&self) -> Vec<String> {
        lock(&self.said).breaches.clone()
    }

    /// The last lines that it has said.
    pub fn last_lines(&self) -> Vec<String> {
        lock(&self.said).last.iter().cloned().collect()
    }

    /// Its metrics as text; nothing when it tells none.
    pub async fn metrics(&self) -> Option<String> {
        let asking = reqwest::Client::new()
            .get(&self.metrics)
            .timeout(Duration::from_secs(10))
            .send();
        let reply = asking.await.ok()?.error_for_status().ok()?;
        reply.text().await.ok()
    }

    fn command(&self) -> Command {
        let mut command = match self.room_kib {
            None => Command::new(&self.program),
            Some(room_kib) => {
                // Blocks of 512 bytes. The signal would end it; without, it is an error as any other.
                let script = format!(
                    "trap '' XFSZ; ulimit -f {}; exec \"$0\" \"$@\"",
                    room_kib * 2
                );
                let mut shell = Command::new("sh");
                shell.args(["-c", script.as_str()]).arg(&self.program);
                shell
            }
        };
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("TUBEX_") {
                command.env_remove(name);
            }
        }
        command
            .arg(self.role)
            .envs(self.keys.iter().map(|(key, value)| (key, value)))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        if let Some((child, _)) = &mut self.running {
            // It may have ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn listen_to(pipe: impl Read + Send + 'static, said: &Arc<Mutex<Said>>) -> JoinHandle<()> {
    let said = said.clone();
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            let mut said = lock(&said);
            let is_breach = !said.forbidden.is_empty() && line.contains(said.forbidden);
            if is_breach && said.breaches.len() < KEPT {
                said.breaches.push(line.clone());
            }
            if said.last.len() == KEPT {
                said.last.pop_front();
            }
            said.last.push_back(line);
        }
    })
}

fn lock(said: &Mutex<Said>) -> std::sync::MutexGuard<'_, Said> {
    said.lock().unwrap_or_else(PoisonError::into_inner)
}
