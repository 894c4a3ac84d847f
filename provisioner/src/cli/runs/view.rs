//! A run while it goes on: a bar on a terminal, lines where there is none, objects for machines.

use std::io::IsTerminal as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use provisioner::fleet::{Event, PlaceState, RunState};
use provisioner::{Provisioner, RunEntry, WorkOptions};
use sea_orm::ActiveEnum as _;
use serde_json::json;
use tokio::sync::{mpsc, watch};

use super::{exit_code, run_json, show};
use crate::cli::dealers::Dealers;
use crate::cli::failure::Failure;
use crate::cli::output::say;

/// How often a run is asked how far it is.
const OFTEN: Duration = Duration::from_millis(250);
/// How often that is said where nobody looks at a bar.
const SELDOM: Duration = Duration::from_secs(5);
/// How many of the slowest tenants are named.
const SLOWEST: usize = 3;

/// Works on a run and shows how far it is. The first Ctrl-C ends the work with what is in hand.
pub(super) async fn work(
    provisioner: &Provisioner<Dealers>,
    run: RunEntry,
    connections: u16,
    json: bool,
) -> Result<ExitCode, Failure> {
    let (stopper, stop) = watch::channel(false);
    let (events, mut happened) = mpsc::unbounded_channel();
    let options = WorkOptions {
        connections,
        events: Some(events),
        stop,
    };
    let mut view = View::new(&run, json);
    let worker = provisioner.work(run.id, options);
    tokio::pin!(worker);
    let mut ticks = tokio::time::interval(OFTEN);
    let mut interrupted = false;
    let run = loop {
        tokio::select! {
            done = &mut worker => break done?,
            Some(event) = happened.recv() => view.tell(&event),
            _ = ticks.tick() => view.show(&provisioner.run_by_id(run.id).await?),
            _ = tokio::signal::ctrl_c(), if !interrupted => {
                interrupted = true;
                // The receiver is alive: the worker has it.
                let _ = stopper.send(true);
            }
        }
    };
    while let Ok(event) = happened.try_recv() {
        view.tell(&event);
    }
    view.end(&run);
    Ok(exit_code(&run))
}

/// Shows how far others are with a run, until it stands.
pub(super) async fn watch(
    provisioner: &Provisioner<Dealers>,
    mut run: RunEntry,
    json: bool,
) -> Result<ExitCode, Failure> {
    let mut view = View::new(&run, json);
    while run.state == RunState::Running {
        view.show(&run);
        tokio::select! {
            () = tokio::time::sleep(OFTEN) => {}
            // Only the watching ends.
            _ = tokio::signal::ctrl_c() => break,
        }
        run = provisioner.run_by_id(run.id).await?;
    }
    view.end(&run);
    Ok(exit_code(&run))
}

enum How {
    Bar(ProgressBar),
    Lines,
    Objects,
}

struct View {
    how: How,
    said: Instant,
    begun: Instant,
    done_before: i64,
    last: Option<RunEntry>,
    slowest: Vec<(u64, String)>,
}

impl View {
    fn new(run: &RunEntry, json: bool) -> Self {
        let how = match json {
            true => How::Objects,
            false if std::io::stderr().is_terminal() => How::Bar(bar(run)),
            false => How::Lines,
        };
        let verb = match run.reverts {
            Some(_) => "taking back, by",
            None => "migrating, by",
        };
        let view = Self {
            how,
            said: Instant::now(),
            begun: Instant::now(),
            done_before: run.counts.done,
            last: None,
            slowest: vec![],
        };
        match &view.how {
            How::Objects => view.object("begun", run),
            How::Bar(_) | How::Lines => say(&format!(
                "{verb} run {}: {} tenants to {}, {} waves",
                run.id,
                run.counts.all(),
                run.target_version,
                run.waves
            )),
        }
        view
    }

    /// Something happened to a tenant in our hands.
    fn tell(&mut self, event: &Event) {
        if event.state == PlaceState::Done {
            self.slowest.push((event.duration_us, event.slug.clone()));
            self.slowest.sort_unstable_by(|one, other| other.cmp(one));
            self.slowest.truncate(SLOWEST);
        }
        if let How::Objects = self.how {
            say(&json!({
                "event": "tenant",
                "slug": event.slug,
                "state": event.state.to_value(),
                "from": event.from,
                "to": event.to,
                "duration_us": event.duration_us,
                "error": event.error,
            })
            .to_string());
            return;
        }
        let message = event
            .error
            .as_ref()
            .and_then(|error| error["message"].as_str())
            .unwrap_or_default();
        let line = match event.state {
            PlaceState::Failed => format!("{}: FAILED: {message}", event.slug),
            PlaceState::Quarantined => format!("{}: QUARANTINED: {message}", event.slug),
            PlaceState::Pending => format!("{}: later: {message}", event.slug),
            PlaceState::Done | PlaceState::Running | PlaceState::Skipped => return,
        };
        match &self.how {
            How::Bar(bar) => bar.println(line),
            How::Lines | How::Objects => say(&line),
        }
    }

    /// How far the run is.
    fn show(&mut self, run: &RunEntry) {
        let has_moved = self.last.as_ref().is_none_or(|last| {
            last.counts != run.counts || last.state != run.state || last.wave != run.wave
        });
        match &self.how {
            How::Bar(bar) => {
                let counts = run.counts;
                bar.set_length(counts.all().unsigned_abs());
                bar.set_position((counts.all() - counts.open()).unsigned_abs());
                bar.set_message(self.message(run));
            }
            How::Lines if has_moved && self.said.elapsed() >= SELDOM => {
                self.said = Instant::now();
                say(&self.progress(run));
            }
            How::Objects if has_moved => self.object("progress", run),
            How::Lines | How::Objects => {}
        }
        self.last = Some(run.clone());
    }

    fn end(&mut self, run: &RunEntry) {
        match &self.how {
            How::Objects => self.object("ended", run),
            How::Bar(bar) => {
                bar.finish_and_clear();
                self.conclude(run);
            }
            How::Lines => self.conclude(run),
        }
    }

    fn conclude(&self, run: &RunEntry) {
        say(&self.progress(run));
        if !self.slowest.is_empty() {
            let slowest = self
                .slowest
                .iter()
                .map(|(us, slug)| format!("{slug} {}.{:03} ms", us / 1_000, us % 1_000));
            say(&format!(
                "slowest: {}",
                slowest.collect::<Vec<_>>().join(", ")
            ));
        }
        show::line(run, false);
    }

    fn message(&self, run: &RunEntry) -> String {
        let counts = run.counts;
        format!(
            "wave {}/{}  {} failed  {} quarantined  {} rows filled  {}",
            run.wave + 1,
            run.waves,
            counts.failed,
            counts.quarantined,
            run.rows_filled,
            run.state.to_value(),
        )
    }

    fn progress(&self, run: &RunEntry) -> String {
        let counts = run.counts;
        let done = (counts.done - self.done_before).unsigned_abs();
        let spent = self.begun.elapsed().as_millis().max(1);
        let rate = u128::from(done) * 1_000 / spent;
        format!(
            "{}/{} over, {rate} tenants/s, {}",
            counts.all() - counts.open(),
            counts.all(),
            self.message(run)
        )
    }

    fn object(&self, event: &str, run: &RunEntry) {
        let mut object = run_json(run);
        object["event"] = event.into();
        say(&object.to_string());
    }
}

fn bar(run: &RunEntry) -> ProgressBar {
    let style = ProgressStyle::with_template(
        "{bar:30} {pos}/{len} {percent}%  {per_sec}  {eta} left  {msg}",
    )
    .expect("the template is ours and well formed");
    let length = run.counts.all().unsigned_abs();
    let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr());
    bar.set_style(style);
    bar
}
