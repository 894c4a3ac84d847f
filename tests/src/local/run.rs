//! `local run`: a command with throw-away Postgres clusters and a Redis around it.

use std::ffi::OsString;
use std::io::{IsTerminal, stderr, stdin};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::account::Account;
use super::place::{self, ThrowAway};
use super::postgres::{self, Durability, Postgres};
use super::process::{self, Signal, Target};
use super::redis::{self, Redis};
use super::say::say;
use super::stop::Stop;
use super::{pgbouncer, secret, tools};

const DATABASE_URL: &str = "TUBEX_TEST_DATABASE_URL";
const NODE_URLS: &str = "TUBEX_TEST_NODE_URLS";
const REDIS_URL: &str = "TUBEX_TEST_REDIS_URL";

/// Folders of the clusters: where the platform lives, and two that hold dealers only.
const CLUSTERS: [&str; 3] = ["postgres", "node-1", "node-2"];

/// How long a command may take to end after Ctrl-C before it is killed.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs a command and returns its exit code; 128 and the signal's number when one ended it.
///
/// A URL that is set in the environment already is used instead of an instance of ours. The nodes
/// share the main cluster's owner, login and password, because the provisioner works on all of them
/// with one login: beside a given main cluster, they have to be given too.
///
/// # Errors
///
/// When an instance or the command cannot be started.
pub fn run(stop: &Stop, words: &[OsString]) -> Result<u8> {
    let (program, args) = words.split_first().context("local run needs a command")?;
    sweep();
    let mut command = Command::new(program);
    command.args(args);
    // Declared first, so dropped last: the folder goes when nobody works in it any more.
    let folder = ThrowAway::create(&Account::detect()?)?;
    let started = Instant::now();
    let mut clusters = Vec::new();
    let nodes_are_given = is_given(NODE_URLS);
    if !is_given(DATABASE_URL) {
        let count = if nodes_are_given { 1 } else { CLUSTERS.len() };
        clusters = start_clusters(folder.path(), &CLUSTERS[..count])?;
        let urls: Vec<_> = clusters.iter().map(|c| c.url("postgres")).collect();
        command.env(DATABASE_URL, &urls[0]);
        if !nodes_are_given {
            command.env(NODE_URLS, urls[1..].join(","));
        }
    }
    stop.check()?;
    let mut redis = None;
    if !is_given(REDIS_URL) {
        let instance = Redis::start(&folder.path().join("redis"))?;
        command.env(REDIS_URL, instance.url());
        redis = Some(instance);
    }
    stop.check()?;
    if !clusters.is_empty() || redis.is_some() {
        say(format!(
            "throw-away instances are up after {} ms",
            started.elapsed().as_millis()
        ));
    }
    let status = supervise(&mut command, stop)?;
    for (name, cluster) in CLUSTERS.iter().zip(&mut clusters) {
        if let Some(last_words) = cluster.obituary() {
            say(format!(
                "Postgres ({name}) ended during the run:{last_words}"
            ));
        }
    }
    drop(redis);
    drop(clusters);
    Ok(code_of(status))
}

/// Starts clusters with one owner's password, side by side: each is waited for, none is heavy.
fn start_clusters(folder: &Path, names: &[&str]) -> Result<Vec<Postgres>> {
    let (account, password) = (Account::detect()?, secret::random_text::<24>()?);
    // Only one of them should find that it is missing.
    tools::postgres(None)?;
    thread::scope(|scope| {
        let starting: Vec<_> = names
            .iter()
            .enumerate()
            .map(|(number, name)| {
                let (dir, account, password) = (folder.join(name), &account, &password);
                let durability = match number {
                    0 => Durability::ThrowAway,
                    _ => Durability::ThrowAwayNode,
                };
                scope.spawn(move || {
                    place::make_private(&dir, account)?;
                    postgres::choose_password(&dir, password)?;
                    Postgres::start(&dir, durability)
                })
            })
            .collect();
        let started = starting.into_iter().map(|thread| {
            thread
                .join()
                .unwrap_or_else(|_| bail!("the thread that started Postgres panicked"))
        });
        started.collect()
    })
}

fn is_given(key: &str) -> bool {
    let given = std::env::var_os(key).is_some_and(|value| !value.is_empty());
    if given {
        say(format!("{key} is set: using it"));
    }
    given
}

/// Runs the command to its end and hands requests to stop on to it.
///
/// At a terminal it shares our process group, because it may want to read from the terminal, and
/// so hears Ctrl-C by itself. Elsewhere it leads its own, so that its children hear us as well.
fn supervise(command: &mut Command, stop: &Stop) -> Result<ExitStatus> {
    let at_terminal = stdin().is_terminal() && stderr().is_terminal();
    if !at_terminal {
        command.process_group(0);
    }
    let program = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .spawn()
        .with_context(|| format!("cannot run {program}"))?;
    let target = if at_terminal {
        Target::Process(child.id())
    } else {
        Target::Group(child.id())
    };
    let mut heard = 0;
    let mut deadline: Option<Instant> = None;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if stop.count() > heard {
            heard = stop.count();
            if heard > 2 {
                return kill(&mut child, target);
            }
            deadline.get_or_insert(Instant::now() + PATIENCE);
            if stop.is_terminated() {
                process::send(Signal::Terminate, target);
            } else if !at_terminal {
                process::send(Signal::Interrupt, target);
            }
        }
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return kill(&mut child, target);
        }
        stop.pause(Duration::from_millis(20));
    }
}

fn kill(child: &mut Child, target: Target) -> Result<ExitStatus> {
    process::send(Signal::Kill, target);
    Ok(child.wait()?)
}

fn code_of(status: ExitStatus) -> u8 {
    let code = status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

/// Removes what runs that were killed left behind.
fn sweep() {
    for dir in place::abandoned() {
        for name in CLUSTERS {
            postgres::end_leftover(&dir.join(name));
        }
        pgbouncer::end_leftover(&dir.join("pgbouncer"));
        redis::end_leftover(&dir.join("redis"));
        match std::fs::remove_dir_all(&dir) {
            Ok(()) => say(format!(
                "removed {} of a run that was killed",
                dir.display()
            )),
            Err(error) => say(format!("cannot remove {}: {error}", dir.display())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_pass_through_and_signals_become_codes() {
        let run = |script: &str| {
            let mut command = Command::new("/bin/sh");
            command.args(["-c", script]);
            code_of(supervise(&mut command, &Stop::never()).unwrap())
        };

        assert_eq!(run("exit 0"), 0);
        assert_eq!(run("exit 42"), 42);
        assert_eq!(run("kill -TERM $$"), 143);
    }
}
