//! `local run`: a command with a throw-away Postgres and Redis around it.

use std::ffi::OsString;
use std::io::{IsTerminal, stderr, stdin};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::account::Account;
use super::place::{self, ThrowAway};
use super::postgres::{self, Durability, Postgres};
use super::process::{self, Signal, Target};
use super::redis::{self, Redis};
use super::say::say;
use super::stop::Stop;

const DATABASE_URL: &str = "TUBEX_TEST_DATABASE_URL";
const REDIS_URL: &str = "TUBEX_TEST_REDIS_URL";

/// How long a command may take to end after Ctrl-C before it is killed.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs a command and returns its exit code; 128 and the signal's number when one ended it.
///
/// A URL that is set in the environment already is used instead of an instance of ours.
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
    let mut postgres = None;
    if !is_given(DATABASE_URL) {
        let instance = Postgres::start(&folder.path().join("postgres"), Durability::ThrowAway)?;
        command.env(DATABASE_URL, instance.url("postgres"));
        postgres = Some(instance);
    }
    stop.check()?;
    let mut redis = None;
    if !is_given(REDIS_URL) {
        let instance = Redis::start(&folder.path().join("redis"))?;
        command.env(REDIS_URL, instance.url());
        redis = Some(instance);
    }
    stop.check()?;
    if postgres.is_some() || redis.is_some() {
        say(format!(
            "throw-away instances are up after {} ms",
            started.elapsed().as_millis()
        ));
    }
    let status = supervise(&mut command, stop)?;
    if let Some(last_words) = postgres.as_mut().and_then(Postgres::obituary) {
        say(format!("Postgres ended during the run:{last_words}"));
    }
    drop(redis);
    drop(postgres);
    Ok(code_of(status))
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
        postgres::end_leftover(&dir.join("postgres"));
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
