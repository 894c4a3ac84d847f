//! Runs migrations in a process of their own, and outlives them: one that ends the process, aborts
//! it, overflows its stack or never returns is a finding like any other.

use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::str::FromStr as _;
use std::time::Duration;

use provisioner::check::{Code, Finding, Report, ScratchAt, discard};
use provisioner::report::json;
use sqlx::ConnectOptions as _;
use sqlx::postgres::PgConnectOptions;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep_until};

use super::child::MARK;
use super::order::{Event, Order, Place, written};
use super::undone;
use crate::cli::failure::Failure;
use crate::cli::output::complain;

/// The check itself notices most of what takes too long; this is for code that never lets go.
const GRACE: Duration = Duration::from_secs(20);

/// How a check went.
pub(super) enum Outcome {
    Report(Report),
    /// It could not be done, and why was said on standard error.
    Stuck,
}

/// Checks, whatever migrations do to the process that they run in.
pub(super) async fn check(order: &Order) -> Result<Outcome, Failure> {
    let program = std::env::current_exe().map_err(|error| lost(&error))?;
    let keeper = Keeper {
        program,
        limit: order.timeout().saturating_add(GRACE),
    };
    keeper.check(order).await
}

struct Keeper {
    /// What is run: ourselves.
    program: PathBuf,
    /// How long one migration's code may run at most.
    limit: Duration,
}

impl Keeper {
    async fn check(&self, order: &Order) -> Result<Outcome, Failure> {
        let mut child = start(&self.program, order).await?;
        let mut heard = Heard::new();
        let outcome = match self.listen(&mut child, order, &mut heard).await {
            End::Closed => {
                let status = child.wait().await.map_err(|error| lost(&error))?;
                heard.outcome(order, status)
            }
            End::Overdue => {
                end(&mut child).await;
                Ok(Outcome::Report(heard.overdue(order)))
            }
            End::Interrupted => {
                end(&mut child).await;
                Err(Failure::stuck("interrupted", "the check was interrupted"))
            }
        };
        if heard.report.is_none() && !heard.is_stuck {
            tidy(order).await;
        }
        outcome
    }

    async fn listen(&self, child: &mut Child, order: &Order, heard: &mut Heard) -> End {
        let stdout = child.stdout.take().expect("its output is piped");
        let mut lines = BufReader::new(stdout).split(b'\n');
        loop {
            tokio::select! {
                line = lines.next_segment() => match line {
                    Ok(Some(line)) => heard.take(&order.token, &String::from_utf8_lossy(&line)),
                    Ok(None) | Err(_) => return End::Closed,
                },
                () = sleep_until(heard.moved + self.limit), if !heard.under_way.is_empty() => {
                    return End::Overdue;
                }
                _ = tokio::signal::ctrl_c() => return End::Interrupted,
            }
        }
    }
}

/// Why nobody listens any more.
enum End {
    Closed,
    Overdue,
    Interrupted,
}

/// Removes the database of a check that came to no end of its own.
async fn tidy(order: &Order) {
    if let ScratchAt::Made { server, name } = order.scratch()
        && let Err(error) = discard(&server, &name).await
    {
        let error = Failure::from(error);
        complain(&format!("warning: a scratch database may be left: {error}"));
    }
}

async fn start(program: &Path, order: &Order) -> Result<Child, Failure> {
    let mut child = Command::new(program)
        .arg("check")
        .env(MARK, "1")
        // A migration that connects by itself finds no tenant there.
        .env("TUBEX_DATABASE__URL", harmless(&order.place)?)
        .env_remove("TUBEX_DATABASE__SECRET")
        .env_remove("TUBEX_CHECK__SCRATCH_URL")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| lost(&error))?;
    let text = serde_json::to_vec(order).expect("an order has nothing that JSON can't say");
    let mut stdin = child.stdin.take().expect("its input is piped");
    stdin.write_all(&text).await.map_err(|error| lost(&error))?;
    // Dropped here: the order ends with the pipe.
    Ok(child)
}

/// The scratch database itself: whoever connects to it is noticed there.
fn harmless(place: &Place) -> Result<String, Failure> {
    let (url, database) = match place {
        Place::Given(url) => (url, None),
        Place::Made { server, name } => (server, Some(name)),
    };
    let options = PgConnectOptions::from_str(url).map_err(|_| {
        // The parser's own words may quote the text, and the password is in it.
        Failure::usage("the database URL cannot be read")
            .hint("it looks like postgres://user:password@host:5432/database")
    })?;
    Ok(match database {
        Some(name) => options.database(name).to_url_lossy().to_string(),
        None => url.clone(),
    })
}

async fn end(child: &mut Child) {
    if let Err(error) = child.kill().await {
        complain(&format!(
            "warning: the check's process can't be ended: {error}"
        ));
    }
}

fn lost(error: &std::io::Error) -> Failure {
    Failure::stuck(
        "check_lost",
        format!("the process of the check was lost: {error}"),
    )
}

/// What came through the pipe so far.
struct Heard {
    /// When a migration began or ended; what it prints between is no progress.
    moved: Instant,
    under_way: Vec<String>,
    report: Option<String>,
    is_stuck: bool,
}

impl Heard {
    fn new() -> Self {
        Self {
            moved: Instant::now(),
            under_way: vec![],
            report: None,
            is_stuck: false,
        }
    }

    fn take(&mut self, token: &str, line: &str) {
        let event = line
            .strip_prefix(token)
            .and_then(|rest| serde_json::from_str(rest).ok());
        if event.is_some() {
            self.moved = Instant::now();
        }
        match event {
            Some(Event::Began(name)) => self.under_way.push(name),
            Some(Event::Ended(name)) => {
                let last = self.under_way.iter().rposition(|one| *one == name);
                last.map(|last| self.under_way.remove(last));
            }
            Some(Event::Report(report)) => self.report = Some(report),
            Some(Event::Stuck) => self.is_stuck = true,
            // A migration prints; our standard output belongs to the report.
            None if !line.trim().is_empty() => complain(line),
            None => {}
        }
    }

    fn outcome(&self, order: &Order, status: ExitStatus) -> Result<Outcome, Failure> {
        if let Some(report) = &self.report {
            let report = json::read(report).expect("both ends of the pipe are one build");
            return Ok(Outcome::Report(report));
        }
        if self.is_stuck || status.code() == Some(2) && self.under_way.is_empty() {
            return Ok(Outcome::Stuck);
        }
        let Some(migration) = self.under_way.last() else {
            return Err(Failure::stuck(
                "check_lost",
                format!(
                    "the process of the check {}, and no migration was under way",
                    death(status)
                ),
            )
            .hint("run it again with TUBEX_LOG=info, which shows how far it comes"));
        };
        let seen = format!("the process {} while its code ran", death(status));
        Ok(Outcome::Report(fallen(
            order,
            Code::Panics,
            migration,
            &seen,
        )))
    }

    fn overdue(&self, order: &Order) -> Report {
        let migration = self.under_way.last().expect("something was under way");
        let seen = format!(
            "it held its process for {} s and let nothing else run",
            order.timeout().as_secs()
        );
        fallen(order, Code::Hangs, migration, &seen)
    }
}

/// The report of a check that one migration has ended.
fn fallen(order: &Order, code: Code, migration: &str, seen: &str) -> Report {
    let why = format!("{migration} took the check down");
    let mut finding = Finding::new(code, seen).of(migration);
    finding.written = written(migration);
    Report {
        findings: vec![finding],
        ..undone(&order.parts(), &why)
    }
}

fn death(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("ended with exit code {code}"),
        (None, Some(6)) => "aborted (signal 6: abort(), or a stack that overflowed)".to_owned(),
        (None, Some(11)) => "was ended by signal 11 (memory that is not its own)".to_owned(),
        (None, signal) => format!("was ended by signal {}", signal.unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests;
