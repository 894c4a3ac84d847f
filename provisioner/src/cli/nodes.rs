//! `tubex node`, and the nodes' part of `tubex platform migrate`.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use migration::NodeMigrator;
use provisioner::fence::FenceReport;
use provisioner::nodes::{NewNode, NodeEntry, NodeError, NodeReport};
use provisioner::platform::FenceRule;
use provisioner::{Label, Provisioner};
use serde_json::{Value, json};

use super::dealers::Dealers;
use super::failure::Failure;
use super::output::{self, complain, say, table, warn};
use super::platform::{gaps_json, memberships_json, print_memberships};

#[derive(Debug, Subcommand)]
pub(super) enum NodeCommand {
    /// List nodes: where they are, how many lanes and tenants they hold
    List,
    /// Prepare a database for tenants and add it
    ///
    /// We connect with the login and the password of the platform's own address, to another host,
    /// port or database; that role needs the same rights there: CREATEROLE, and to own the
    /// database or to be a superuser. Where the address has no password, the node's own is looked
    /// up in ~/.pgpass (or PGPASSFILE), which can hold one for each host.
    ///
    /// The database gets schema `shared`, the fence, and a first lane. Stopped half-way, the same
    /// command finishes it. Later, tubex platform migrate keeps it up to date.
    Add(AddArgs),
}

#[derive(Debug, Args)]
pub(super) struct AddArgs {
    /// What it is called from now on: letters a-z, digits, hyphens and underscores
    name: Label,
    /// Host name, address, or directory of a socket, as servers reach it
    #[arg(long, value_name = "HOST")]
    host: String,
    /// TCP port; the platform's own if it isn't given
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,
    /// Database, which must exist; the one that is called like the platform's own if it isn't
    /// given
    #[arg(long, value_name = "DATABASE")]
    database: Option<String>,
    /// Go on where rights could not be taken from PUBLIC, and only say so
    #[arg(long)]
    allow_partial_fence: bool,
}

pub(super) async fn run(
    provisioner: &Provisioner<Dealers>,
    command: NodeCommand,
    json: bool,
) -> Result<ExitCode, Failure> {
    match command {
        NodeCommand::List => list(provisioner, json).await?,
        NodeCommand::Add(args) => add(provisioner, args, json).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(provisioner: &Provisioner<Dealers>, json: bool) -> Result<(), Failure> {
    let nodes = provisioner.nodes().await?;
    if json {
        let data: Vec<_> = nodes.iter().map(node_json).collect();
        say(&json!({ "data": data }).to_string());
        return Ok(());
    }
    let rows: Vec<_> = nodes
        .into_iter()
        .map(|node| {
            let own = || "(platform)".to_owned();
            [
                node.name,
                node.host.unwrap_or_else(own),
                node.port.map_or_else(own, |port| port.to_string()),
                node.database.unwrap_or_else(own),
                node.lanes.to_string(),
                node.width.to_string(),
                node.tenants.to_string(),
            ]
        })
        .collect();
    let heading = [
        "NODE", "HOST", "PORT", "DATABASE", "LANES", "WIDTH", "TENANTS",
    ];
    say(&table(heading, &rows));
    Ok(())
}

async fn add(provisioner: &Provisioner<Dealers>, args: AddArgs, json: bool) -> Result<(), Failure> {
    let new = NewNode {
        name: args.name.clone(),
        host: args.host,
        port: args.port,
        database: args.database,
    };
    let rule = FenceRule::allowing_gaps(args.allow_partial_fence);
    let added = provisioner.add_node(new, NodeMigrator, rule).await?;
    if let Some(pressure) = &added.lane.pressure {
        warn(pressure);
    }
    if json {
        let shown = json!({
            "id": added.id,
            "name": args.name.as_str(),
            "lane": added.lane.login,
            "applied": added.applied,
            "fence": { "closed": added.fence.closed, "gaps": gaps_json(&added.fence) },
        });
        say(&shown.to_string());
    } else {
        say(&output::fields(&[
            ("node", args.name.as_str()),
            ("lane", &added.lane.login),
        ]));
        print_gaps(args.name.as_str(), &added.fence);
    }
    Ok(())
}

/// Whether a node answered and could not be brought to head. One that is out of reach is only
/// reported: its tenants are not served either, and the others must not wait for it.
pub(super) fn has_failed(reports: &[NodeReport]) -> bool {
    reports
        .iter()
        .any(|node| matches!(&node.outcome, Err(error) if !matches!(error, NodeError::Reach(_))))
}

pub(super) fn print(reports: Vec<NodeReport>) {
    for NodeReport { name, outcome } in reports {
        match outcome {
            Ok(state) => {
                let applied = match state.applied.as_slice() {
                    [] => "up to date".to_owned(),
                    steps => steps.join(", "),
                };
                let lanes = state.lanes.len();
                say(&format!("\nnode {name}: {applied}; {lanes} lanes"));
                print_memberships(&state.memberships);
                print_gaps(&name, &state.fence);
            }
            Err(error) => {
                complain("");
                let failure = Failure::from(error);
                warn(&format!("node {name} was left as it was: {failure}"));
            }
        }
    }
}

pub(super) fn reports_json(reports: Vec<NodeReport>) -> Value {
    reports
        .into_iter()
        .map(|NodeReport { name, outcome }| match outcome {
            Ok(state) => json!({
                "name": name,
                "applied": state.applied,
                "lanes": state.lanes,
                "fence": { "closed": state.fence.closed, "gaps": gaps_json(&state.fence) },
                "memberships": memberships_json(&state.memberships),
                "error": null,
            }),
            Err(error) => json!({ "name": name, "error": Failure::from(error).to_json() }),
        })
        .collect()
}

fn print_gaps(node: &str, fence: &FenceReport) {
    if !fence.gaps.is_empty() {
        complain("");
        warn(&format!(
            "the fence of node {node} has gaps. Close them as a superuser in its database:\n"
        ));
        complain(&fence.remedy());
    }
}

fn node_json(node: &NodeEntry) -> Value {
    json!({
        "id": node.id,
        "name": node.name,
        "host": node.host,
        "port": node.port,
        "database": node.database,
        "lanes": node.lanes,
        "width": node.width,
        "tenants": node.tenants,
    })
}
