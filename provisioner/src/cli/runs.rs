//! `tubex migrate` and `tubex runs`: carrying a new version over the fleet, and having a say in it.

mod show;
mod view;

use std::process::ExitCode;

use clap::{Args, Subcommand};
use provisioner::fleet::{Canary, ListPlaces, MaxFailures, PlaceState, RunState, Selector};
use provisioner::{Provisioner, RunEntry, RunOptions, Started};
use sea_orm::{ActiveEnum as _, Iterable as _};
use serde_json::json;

use super::actor;
use super::dealers::Dealers;
use super::failure::Failure;
use super::output::say;

#[derive(Debug, Args)]
pub(super) struct MigrateArgs {
    /// Where to; the newest migration of this build if it isn't said
    #[arg(long, value_name = "MIGRATION")]
    to: Option<String>,
    /// Only these: tag=, plan=, lane=, node=, version=, slug=, size<10MB, active<24h, idle>30d, with
    /// commas between
    #[arg(long, value_name = "SELECTOR")]
    only: Option<Selector>,
    /// Who goes first: a number, or a selector such as tag=pilot
    #[arg(long, value_name = "N|SELECTOR")]
    canary: Option<Canary>,
    /// Up to which percentage of the others each wave goes, as in 10,50,100
    #[arg(long, value_name = "PERCENT", value_delimiter = ',', default_value = "100",
        value_parser = percent)]
    wave: Vec<u8>,
    /// Wait for `tubex runs approve` between waves
    #[arg(long)]
    approve: bool,
    /// How long a wave is watched before it is judged, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    watch: u32,
    /// Halt when more fail: a number, or a share such as 5%
    #[arg(long, value_name = "N|PERCENT%", default_value = "5%")]
    max_failures: MaxFailures,
    /// How long a statement may wait for a lock, in milliseconds; requests that come after queue up
    /// behind it
    #[arg(long, value_name = "MS", default_value_t = 200)]
    lock_timeout: u32,
    /// How long one statement may run, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 600_000)]
    statement_timeout: u32,
    /// How often a tenant is tried whose locks are not to be had
    #[arg(long, value_name = "N", default_value_t = 12)]
    attempts: u32,
    /// Rows in one batch of a back-fill
    #[arg(long, value_name = "ROWS", default_value_t = 5_000)]
    batch: u32,
    /// Take a contract although live servers need what it takes away; said in the log
    #[arg(long)]
    force: bool,
    /// Only begin the run: others work on it, with `tubex runs work`
    #[arg(long)]
    no_work: bool,
    #[command(flatten)]
    hands: Hands,
}

#[derive(Clone, Copy, Debug, Args)]
pub(super) struct Hands {
    /// Connections at once; more than there are cores do not help
    #[arg(long, value_name = "N", default_value_t = 2,
        value_parser = clap::value_parser!(u16).range(1..=16))]
    connections: u16,
}

#[derive(Debug, Args)]
pub(super) struct RunArg {
    /// The run: its id, the beginning of it, or latest
    #[arg(default_value = "latest")]
    run: String,
}

#[derive(Debug, Args)]
pub(super) struct WorkArgs {
    #[command(flatten)]
    run: RunArg,
    #[command(flatten)]
    hands: Hands,
    /// Only say so: others work on it, with `tubex runs work`
    #[arg(long)]
    no_work: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum RunsCommand {
    /// List runs, the latest first
    List {
        /// How many at most
        #[arg(long, default_value_t = 20)]
        limit: u16,
    },
    /// Show a run, and those of its tenants that need somebody
    Show {
        #[command(flatten)]
        run: RunArg,
        /// List tenants that stand here: pending, running, done, failed, skipped, quarantined
        #[arg(long, value_parser = place_state)]
        state: Option<PlaceState>,
        /// How many tenants at most, up to 1000
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
        limit: u16,
        /// Only tenants after this position: the `next` of the page before
        #[arg(long, value_name = "POSITION")]
        after: Option<i32>,
    },
    /// Watch a run that others work on
    Watch {
        #[command(flatten)]
        run: RunArg,
    },
    /// Work on a run together with others, until it is over
    Work {
        #[command(flatten)]
        run: RunArg,
        #[command(flatten)]
        hands: Hands,
    },
    /// Let nobody take another tenant
    Pause {
        #[command(flatten)]
        run: RunArg,
    },
    /// Go on with a run that is paused or has halted
    Resume(WorkArgs),
    /// Let the next wave begin
    Approve(WorkArgs),
    /// End a run: who was moved stays moved, the others stay where they are
    Cancel {
        #[command(flatten)]
        run: RunArg,
    },
    /// Give everybody who failed or was quarantined another turn
    Retry(WorkArgs),
    /// Leave a tenant out
    Skip {
        /// The run: its id, the beginning of it, or latest
        run: String,
        /// The tenant's slug or id
        tenant: String,
        /// Why; goes into the tenant's history, so no personal data
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Take a run back: exactly those whom it moved, the last one first
    ///
    /// A run that is not over is cancelled; a rollback that is not over is gone on with. Refused
    /// across a contract, and while live servers need what would be taken back.
    Rollback {
        #[command(flatten)]
        work: WorkArgs,
        /// Go back although live servers need what would be taken back
        #[arg(long)]
        force: bool,
    },
}

impl MigrateArgs {
    fn options(self) -> RunOptions {
        RunOptions {
            to: self.to,
            only: self.only.unwrap_or_default(),
            canary: self.canary,
            waves: self.wave,
            approve: self.approve,
            watch_seconds: self.watch,
            max_failures: self.max_failures,
            lock_timeout_ms: self.lock_timeout,
            statement_timeout_ms: self.statement_timeout,
            attempts: self.attempts,
            batch_rows: self.batch,
            force: self.force,
        }
    }
}

/// Exit code 1 when a tenant failed or the run halted; 0 when it is done, or waits for somebody.
pub(super) async fn migrate(
    provisioner: &Provisioner<Dealers>,
    args: MigrateArgs,
    json: bool,
) -> Result<ExitCode, Failure> {
    let (hands, no_work) = (args.hands, args.no_work);
    let run = match provisioner.start_run(args.options(), &actor()).await? {
        Started::Nothing {
            target,
            there,
            ahead,
        } => {
            show::nothing(&target, there, ahead, json);
            return Ok(ExitCode::SUCCESS);
        }
        Started::New(run) => run,
        Started::Joined(run) => {
            if !json {
                say(&format!("run {} is not over: going on with it", run.id));
            }
            run
        }
    };
    go_on(provisioner, *run, hands, no_work, json).await
}

pub(super) async fn run(
    provisioner: &Provisioner<Dealers>,
    command: RunsCommand,
    json: bool,
) -> Result<ExitCode, Failure> {
    let actor = actor();
    let find = async |run: &RunArg| provisioner.run(&run.run).await;
    match command {
        RunsCommand::List { limit } => {
            show::list(&provisioner.runs(limit).await?, json);
        }
        RunsCommand::Show {
            run,
            state,
            limit,
            after,
        } => {
            let run = find(&run).await?;
            let which = ListPlaces {
                state,
                after,
                limit,
            };
            show::run(provisioner, &run, &which, json).await?;
        }
        RunsCommand::Watch { run } => {
            let run = find(&run).await?;
            return view::watch(provisioner, run, json).await;
        }
        RunsCommand::Work { run, hands } => {
            let run = find(&run).await?;
            return go_on(provisioner, run, hands, false, json).await;
        }
        RunsCommand::Pause { run } => {
            let run = provisioner.pause_run(find(&run).await?.id, &actor).await?;
            show::line(&run, json);
        }
        RunsCommand::Cancel { run } => {
            let run = provisioner.cancel_run(find(&run).await?.id, &actor).await?;
            show::line(&run, json);
        }
        RunsCommand::Resume(args) => {
            let run = find(&args.run).await?;
            let run = provisioner.resume_run(run.id, &actor).await?;
            return go_on(provisioner, run, args.hands, args.no_work, json).await;
        }
        RunsCommand::Approve(args) => {
            let run = find(&args.run).await?;
            let run = provisioner.approve_run(run.id, &actor).await?;
            return go_on(provisioner, run, args.hands, args.no_work, json).await;
        }
        RunsCommand::Retry(args) => {
            let run = find(&args.run).await?;
            let retried = provisioner.retry_run(run.id, &actor).await?;
            if retried.again == 0 {
                show::line(&retried.run, json);
                return Ok(ExitCode::SUCCESS);
            }
            return go_on(provisioner, retried.run, args.hands, args.no_work, json).await;
        }
        RunsCommand::Skip {
            run,
            tenant,
            reason,
        } => {
            let run = provisioner.run(&run).await?;
            let run = provisioner.skip_tenant(run.id, &tenant, &reason, &actor);
            show::line(&run.await?, json);
        }
        RunsCommand::Rollback { work, force } => {
            let run = find(&work.run).await?;
            let back = provisioner.rollback_run(run.id, force, &actor).await?;
            return go_on(provisioner, back, work.hands, work.no_work, json).await;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn go_on(
    provisioner: &Provisioner<Dealers>,
    run: RunEntry,
    hands: Hands,
    no_work: bool,
    json: bool,
) -> Result<ExitCode, Failure> {
    if no_work {
        show::line(&run, json);
        return Ok(ExitCode::SUCCESS);
    }
    view::work(provisioner, run, hands.connections, json).await
}

/// What the shell is told of a run's end.
fn exit_code(run: &RunEntry) -> ExitCode {
    let counts = run.counts;
    let is_well = run.state != RunState::Halted && counts.failed + counts.quarantined == 0;
    ExitCode::from(u8::from(!is_well))
}

fn percent(text: &str) -> Result<u8, String> {
    let text = text.trim().trim_end_matches('%');
    match text.parse() {
        Ok(percent @ 1..=100) => Ok(percent),
        _ => Err("a wave is a percentage from 1 to 100".to_owned()),
    }
}

fn place_state(text: &str) -> Result<PlaceState, String> {
    let known: Vec<_> = PlaceState::iter().map(|state| state.to_value()).collect();
    PlaceState::iter()
        .find(|state| state.to_value() == text)
        .ok_or_else(|| format!("known: {}", known.join(", ")))
}

/// A run for machines; the same keys wherever one is told of.
fn run_json(run: &RunEntry) -> serde_json::Value {
    let counts = run.counts;
    json!({
        "id": run.id,
        "reverts": run.reverts,
        "target_version": run.target_version,
        "state": run.state.to_value(),
        "reason": run.reason,
        "wave": run.wave,
        "waves": run.waves,
        "actor": run.actor,
        "created_at": super::output::moment(run.created_at),
        "finished_at": run.finished_at.map(super::output::moment),
        "elapsed_ms": run.elapsed_ms,
        "rows_filled": run.rows_filled,
        "lock_waits": run.lock_waits,
        "rehearsal": run.compared(),
        "tenants": {
            "all": counts.all(),
            "pending": counts.pending,
            "running": counts.running,
            "done": counts.done,
            "failed": counts.failed,
            "skipped": counts.skipped,
            "quarantined": counts.quarantined,
        },
        "verdicts": run.verdicts,
        "options": run.options,
    })
}
