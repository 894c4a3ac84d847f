//! Processes: is one alive, is it ours, signals, patient stopping, captured runs.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::stop::Stop;

/// The signals that we send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// What Ctrl-C sends.
    Interrupt,
    /// Please end.
    Terminate,
    /// End now.
    Kill,
    /// Stand still, as a machine does that is suspended.
    Stop,
    /// Go on.
    Continue,
}

impl Signal {
    const fn name(self) -> &'static str {
        match self {
            Self::Interrupt => "INT",
            Self::Terminate => "TERM",
            Self::Kill => "KILL",
            Self::Stop => "STOP",
            Self::Continue => "CONT",
        }
    }
}

/// Whom a signal is for.
#[derive(Clone, Copy, Debug)]
pub enum Target {
    /// One process.
    Process(u32),
    /// A process group, by its leader.
    Group(u32),
}

/// Sends a signal; a process that is gone already is fine.
pub fn send(signal: Signal, target: Target) {
    let id = match target {
        Target::Process(pid) => pid.to_string(),
        Target::Group(pid) => format!("-{pid}"),
    };
    // `kill` is a word of every shell; the program of that name is not on every machine.
    let _gone_already = shell_kill(signal.name(), &id);
}

/// Whether a process exists and is not merely waiting to be buried by its parent.
pub fn is_alive(pid: u32) -> bool {
    match fs::read_to_string(format!("/proc/{pid}/stat")) {
        // The state follows the name, which is in parentheses and may hold any character.
        Ok(stat) => !stat
            .rsplit(')')
            .next()
            .is_some_and(|rest| rest.trim_start().starts_with('Z')),
        Err(_) if Path::new("/proc/self/stat").exists() => false,
        Err(_) => shell_kill("0", &pid.to_string()).is_ok_and(|status| status.success()),
    }
}

/// The short name of a running process.
pub fn name(pid: u32) -> Option<String> {
    if let Ok(name) = fs::read_to_string(format!("/proc/{pid}/comm")) {
        return Some(name.trim().to_owned());
    }
    let pid = pid.to_string();
    let output = Command::new("ps")
        .args(["-o", "comm=", "-p", &pid])
        .output()
        .ok()?;
    let path = String::from_utf8(output.stdout).ok()?;
    Some(path.trim().rsplit('/').next()?.to_owned()).filter(|name| !name.is_empty())
}

/// Whether a remembered process id still means the process we remember: its name begins with
/// one of `names` and, where the system tells, it works in `dir`. Ids are used again.
pub fn is_ours(pid: u32, names: &[&str], dir: &Path) -> bool {
    let named = name(pid).is_some_and(|name| names.iter().any(|wanted| name.starts_with(wanted)));
    let placed = match fs::read_link(format!("/proc/{pid}/cwd")) {
        Ok(cwd) => dir.canonicalize().is_ok_and(|dir| dir == cwd),
        Err(_) => !Path::new("/proc/self/cwd").exists(),
    };
    named && placed && is_alive(pid)
}

/// Waits for the end of a child; `None` when `limit` passed first.
///
/// # Errors
///
/// When the system cannot tell.
pub fn wait_at_most(child: &mut Child, limit: Duration) -> io::Result<Option<ExitStatus>> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= deadline {
            return Ok(None);
        }
        thread::sleep(Duration::from_millis(10));
    }
}

/// Waits until a process that is not our child is gone; says whether it is.
pub fn wait_gone(pid: u32, limit: Duration) -> bool {
    let deadline = Instant::now() + limit;
    while is_alive(pid) {
        if Instant::now() >= deadline {
            return false;
        }
        thread::sleep(Duration::from_millis(20));
    }
    true
}

/// Ends a process that an earlier run left behind.
pub fn end_leftover(pid: u32, patience: Duration) {
    send(Signal::Terminate, Target::Process(pid));
    if !wait_gone(pid, patience) {
        send(Signal::Kill, Target::Process(pid));
        wait_gone(pid, Duration::from_secs(5));
    }
}

/// Asks a child to end and waits; after `patience`, or when somebody asks us to stop once more,
/// it is killed.
///
/// # Errors
///
/// When the system cannot tell whether it ended.
pub fn end_child(child: &mut Child, patience: Duration, stop: &Stop) -> io::Result<ExitStatus> {
    let deadline = Instant::now() + patience;
    let asked = stop.count();
    send(Signal::Terminate, Target::Process(child.id()));
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if Instant::now() >= deadline || stop.count() > asked {
            child.kill()?;
            return child.wait();
        }
        stop.pause(Duration::from_millis(20));
    }
}

/// Runs a command to its end and keeps what it prints; a request to stop ends it.
///
/// # Errors
///
/// When it cannot be started, or [`super::stop::Interrupted`].
pub fn capture(command: &mut Command, stop: &Stop) -> Result<Output> {
    stop.check()?;
    let program = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run {program}"))?;
    let stdout = drain(child.stdout.take());
    let stderr = drain(child.stderr.take());
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if stop.is_requested() {
            end_child(&mut child, Duration::from_secs(10), stop)?;
            bail!(super::stop::Interrupted);
        }
        stop.pause(Duration::from_millis(10));
    };
    let collected = |reader: thread::JoinHandle<Vec<u8>>| reader.join().unwrap_or_default();
    Ok(Output {
        status,
        stdout: collected(stdout),
        stderr: collected(stderr),
    })
}

/// The last lines of a log, indented for an error message.
pub fn last_lines(path: &Path, count: usize) -> String {
    indented(&end_of(path, count))
}

/// The last lines of some output, indented for an error message.
pub fn tail(bytes: &[u8], count: usize) -> String {
    indented(&end(bytes, count))
}

/// The last lines of a log that are not empty; none when it cannot be read.
pub fn end_of(path: &Path, count: usize) -> Vec<String> {
    const ENOUGH: u64 = 16 * 1024;
    let read = || -> io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(ENOUGH)))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    read().map_or_else(|_| Vec::new(), |bytes| end(&bytes, count))
}

/// Lines as they follow the first line of an error message.
pub fn indented(lines: &[String]) -> String {
    lines.iter().map(|line| format!("\n  | {line}")).collect()
}

fn end(bytes: &[u8], count: usize) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    lines[lines.len().saturating_sub(count)..]
        .iter()
        .map(|line| (*line).to_owned())
        .collect()
}

fn shell_kill(signal: &str, id: &str) -> io::Result<ExitStatus> {
    Command::new("/bin/sh")
        .args(["-c", r#"kill -s "$1" -- "$2""#, "sh", signal, id])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .status()
}

fn drain(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // A broken pipe ends the output; what came before it is still worth showing.
            let _broken_pipe = pipe.read_to_end(&mut bytes);
        }
        bytes
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_that_ignores_us_is_killed() {
        let mut child = Command::new("/bin/sh")
            .args([
                "-c",
                "trap '' TERM; echo ready; while :; do sleep 0.05; done",
            ])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut ready = [0; 5];
        child.stdout.take().unwrap().read_exact(&mut ready).unwrap();

        let status = end_child(&mut child, Duration::from_millis(50), &Stop::never()).unwrap();

        assert!(!status.success());
        assert!(!is_alive(child.id()));
    }

    #[test]
    fn output_is_kept_and_its_tail_is_indented() {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "echo one; echo two; echo three >&2; exit 3"]);

        let output = capture(&mut command, &Stop::never()).unwrap();

        assert_eq!(output.status.code(), Some(3));
        assert_eq!(tail(&output.stdout, 1), "\n  | two");
        assert_eq!(tail(&output.stderr, 5), "\n  | three");
    }

    #[test]
    fn another_program_with_a_remembered_id_is_not_ours() {
        let me = std::process::id();

        assert!(is_alive(me));
        assert!(!is_ours(me, &["postgres"], Path::new("/")));
    }
}
