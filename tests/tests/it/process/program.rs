//! A `server` that runs beside the test, with what it has said so far.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use serde_json::Value;
use tests::local::process::{self, Signal, Target};
use tests::{Actor, Dealer, Scratch, eventually, server_binary};

/// Of every owner in the template.
pub const PASSWORD: &str = "a fine password for tests";
pub const TOKEN_SECRET: &str = "a token secret for tests, long enough";

/// A running program; killed if the test ends before it.
pub struct Program {
    child: Child,
    said: Arc<Mutex<Vec<String>>>,
    readers: Vec<JoinHandle<()>>,
    base: String,
}

impl Program {
    /// Starts a role and waits until it listens.
    pub async fn start(role: &str, database: &Scratch, keys: &[(&str, &str)]) -> Self {
        let mut child = command(database, keys)
            .arg(role)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the server is built by `make test`");
        let said = Arc::default();
        let readers = vec![
            listen_to(child.stdout.take().expect("piped"), &said),
            listen_to(child.stderr.take().expect("piped"), &said),
        ];
        let mut program = Self {
            child,
            said,
            readers,
            base: String::new(),
        };
        eventually("the program listens", async || {
            let listening = program
                .events()
                .into_iter()
                .find(|e| e["message"] == "listening");
            let address = listening.and_then(|e| e["address"].as_str().map(ToOwned::to_owned));
            program.base = address.map_or_else(String::new, |a| format!("http://{a}"));
            !program.base.is_empty()
        })
        .await;
        let anybody = program.stranger("localhost");
        if role == "api" {
            eventually("the program is ready", async || {
                anybody.get("/readyz").await.status == 200
            })
            .await;
        }
        program
    }

    pub fn stranger(&self, host: &str) -> Actor {
        Actor::stranger(reqwest::Client::new(), &self.base, host)
    }

    /// The owner of a ready dealer, signed in.
    pub async fn owner(&self, slug: &str) -> Dealer {
        let stranger = self.stranger(&format!("{slug}.localhost"));
        let email = format!("owner@{slug}.example");
        let reply = stranger.sign_in(&email, PASSWORD).await.expect(200);
        Dealer {
            slug: slug.to_owned(),
            email,
            password: PASSWORD.to_owned(),
            owner: stranger.with_token(reply.json["access_token"].as_str().expect("a token")),
        }
    }

    /// Where it listens, as `address:port`.
    pub fn address(&self) -> &str {
        self.base.trim_start_matches("http://")
    }

    /// Every line it has said.
    pub fn said(&self) -> Vec<String> {
        self.said.lock().expect("nobody panics with it").clone()
    }

    /// Every line that is an event.
    pub fn events(&self) -> Vec<Value> {
        let lines = self.said();
        lines
            .iter()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }

    pub fn terminate(&self) {
        process::send(Signal::Terminate, Target::Process(self.child.id()));
    }

    /// Waits for its end without holding up the test's own tasks.
    pub async fn ended(&mut self) -> ExitStatus {
        let mut status = None;
        eventually("the program ends", async || {
            status = self.child.try_wait().expect("it is our child");
            status.is_some()
        })
        .await;
        for reader in self.readers.drain(..) {
            reader.join().expect("what it said last has been read");
        }
        status.expect("waited for")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program with the usual environment and these keys, and nothing of ours else.
pub fn command(database: &Scratch, keys: &[(&str, &str)]) -> Command {
    let mut command = bare();
    command
        .env("TUBEX_HTTP__LISTEN", "127.0.0.1:0")
        .env("TUBEX_HTTP__WORKERS", "1")
        .env("TUBEX_METRICS__LISTEN", "127.0.0.1:0")
        .env("TUBEX_STORAGE__DIRECTORY", database.storage())
        .env("TUBEX_DATABASE__URL", database.server_url())
        .env("TUBEX_DATABASE__SECRET", database.secret())
        .env("TUBEX_AUTH__TOKEN_SECRET", TOKEN_SECRET)
        .envs(keys.iter().copied());
    command
}

/// The program with no key of the configuration set.
pub fn bare() -> Command {
    let mut command = Command::new(server_binary());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("TUBEX_") {
            command.env_remove(name);
        }
    }
    command
}

fn listen_to(pipe: impl Read + Send + 'static, said: &Arc<Mutex<Vec<String>>>) -> JoinHandle<()> {
    let said = said.clone();
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            said.lock().expect("nobody panics with it").push(line);
        }
    })
}
