//! `tubex spares`.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use provisioner::{Label, Provisioner, SpareError, SpareMove, SpareNews, SpareReport};
use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};

use super::dealers::Dealers;
use super::failure::{Failure, chain};
use super::output::{say, table, warn};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct SparesArgs {
    /// Say how many a node should have, 0 to 1000, and bring it there: what lacks is made, one at
    /// a time with a rest after each, and what is too many is removed
    #[arg(long, value_name = "N")]
    keep: Option<u16>,
    /// The node; the platform's own if it isn't given
    #[arg(long, value_name = "NAME", requires = "keep")]
    node: Option<Label>,
    /// Only say how many, and leave the rest to those who keep them
    #[arg(long, requires = "keep")]
    no_fill: bool,
    #[command(subcommand)]
    command: Option<SparesCommand>,
}

#[derive(Debug, Subcommand)]
enum SparesCommand {
    /// Stay, and keep as many on each node as it should have, until SIGINT or SIGTERM
    ///
    /// Servers with the role `worker` do the same where they have the owner's address. Several at
    /// once take turns.
    Run,
}

pub(super) async fn run(
    provisioner: &Provisioner<Dealers>,
    args: SparesArgs,
    json: bool,
) -> Result<ExitCode, Failure> {
    match (args.command, args.keep) {
        (Some(SparesCommand::Run), _) => stay(provisioner, json).await?,
        (None, None) => show(&provisioner.spares().await?, vec![], json),
        (None, Some(keep)) => {
            let node = args.node.as_ref();
            provisioner.set_spare_goal(node, keep).await?;
            let mut moves = vec![];
            if !args.no_fill {
                let tell = |moved| {
                    if !json {
                        say(&line(&moved));
                    }
                    moves.push(moved);
                };
                provisioner.fill_spares(node, stopped()?, tell).await?;
            }
            show(&provisioner.spares().await?, moves, json);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// In JSON each event is a line of its own: nobody can wait for the end of this.
async fn stay(provisioner: &Provisioner<Dealers>, json: bool) -> Result<(), Failure> {
    // What can be known at once is: an empty database, a wrong login.
    provisioner.spares().await?;
    let tell = |news| match news {
        SpareNews::Moved(moved) if json => say(&move_json(&moved).to_string()),
        SpareNews::Moved(moved) => say(&line(&moved)),
        SpareNews::Failed { node, error } => {
            let failure = Failure::from(error);
            if json {
                say(&json!({ "node": node, "error": failure.to_json() }).to_string());
            } else {
                let place = node.map_or_else(String::new, |node| format!("node {node}: "));
                warn(&format!("{place}{failure}"));
            }
        }
    };
    provisioner.keep_spares(stopped()?, tell).await;
    Ok(())
}

/// Until somebody wants us to end.
fn stopped() -> Result<impl Future<Output = ()>, Failure> {
    let deaf = |error: std::io::Error| Failure::stuck("signals", chain(&error));
    let mut interrupt = signal(SignalKind::interrupt()).map_err(deaf)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(deaf)?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

fn show(reports: &[SpareReport], moves: Vec<SpareMove>, json: bool) {
    if json {
        let data: Vec<_> = reports.iter().map(report_json).collect();
        let moves: Vec<_> = moves.iter().map(move_json).collect();
        say(&json!({ "data": data, "moves": moves }).to_string());
        return;
    }
    let rows: Vec<_> = reports
        .iter()
        .map(|report| {
            let lanes: Vec<_> = report
                .lanes
                .iter()
                .map(|lane| format!("{} {}", lane.login, lane.spares))
                .collect();
            [
                report.node.clone(),
                report
                    .keep
                    .map_or_else(|| "-".to_owned(), |keep| keep.to_string()),
                report.ready.to_string(),
                report.behind.to_string(),
                report.unfinished.to_string(),
                lanes.join(", "),
            ]
        })
        .collect();
    let heading = ["NODE", "KEEP", "READY", "BEHIND", "UNFINISHED", "LANES"];
    say(&table(heading, &rows));
}

fn line(moved: &SpareMove) -> String {
    match moved {
        SpareMove::Made {
            node,
            schema,
            lane,
            took,
        } => format!(
            "made {schema} on node {node}, lane {lane}, in {} ms",
            took.as_millis()
        ),
        SpareMove::Removed { node, schema } => format!("removed {schema} from node {node}"),
    }
}

fn move_json(moved: &SpareMove) -> Value {
    match moved {
        SpareMove::Made {
            node,
            schema,
            lane,
            took,
        } => json!({
            "kind": "made",
            "node": node,
            "schema_name": schema,
            "lane": lane,
            "duration_ms": took.as_millis() as u64,
        }),
        SpareMove::Removed { node, schema } => {
            json!({ "kind": "removed", "node": node, "schema_name": schema })
        }
    }
}

fn report_json(report: &SpareReport) -> Value {
    let lanes: Vec<_> = report
        .lanes
        .iter()
        .map(|lane| json!({ "lane": lane.login, "spares": lane.spares }))
        .collect();
    json!({
        "node": report.node,
        "keep": report.keep,
        "ready": report.ready,
        "behind": report.behind,
        "unfinished": report.unfinished,
        "lanes": lanes,
    })
}

impl From<SpareError> for Failure {
    fn from(error: SpareError) -> Self {
        let message = chain(&error);
        match error {
            SpareError::TooMany(_) => Self::usage(message),
            SpareError::Migrating => Self::refused("migrating", message)
                .hint("tubex migrate status shows it; run this again when it has ended"),
            SpareError::Create(cause) => cause.into(),
            SpareError::Place(cause) => Self::from_lane(&cause, message),
            SpareError::Reach(cause) => Self::from_reach(&cause, message),
            SpareError::Unfinished { .. } => {
                Self::refused("unfinished", message).hint("run the same command again to finish it")
            }
            SpareError::Db(cause) => Self::from_db(&cause, message),
        }
    }
}
