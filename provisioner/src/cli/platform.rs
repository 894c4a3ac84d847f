//! `tubex platform migrate`.

use std::process::ExitCode;

use clap::Args;
use migration::PlatformMigrator;
use provisioner::platform::{self, FenceRule, PlatformOptions, PlatformReport};
use provisioner::{LaneOptions, RoleName};
use sea_orm::DatabaseConnection;
use secrecy::SecretString;
use serde_json::json;

use super::failure::Failure;
use super::output::{complain, fields, say};

#[derive(Debug, Args)]
pub(super) struct MigrateArgs {
    /// The role that servers log in as to read the directory
    #[arg(long, value_name = "NAME", default_value = "tubex_server")]
    server_role: RoleName,
    /// Connections that this role may have in the whole cluster
    #[arg(long, value_name = "N", default_value_t = 50,
        value_parser = clap::value_parser!(u16).range(1..=10_000))]
    server_connections: u16,
    /// Connections that one server opens on the first lane
    #[arg(long, value_name = "N", default_value_t = LaneOptions::default().width,
        value_parser = clap::value_parser!(u16).range(1..=1000))]
    lane_width: u16,
    /// Tenants that fit on the first lane
    #[arg(long, value_name = "N", default_value_t = LaneOptions::default().capacity,
        value_parser = clap::value_parser!(u16).range(1..=500))]
    lane_capacity: u16,
    /// Go on where rights could not be taken from PUBLIC, and only say so
    #[arg(long)]
    allow_partial_fence: bool,
}

pub(super) async fn migrate(
    db: &DatabaseConnection,
    secret: SecretString,
    args: MigrateArgs,
    json: bool,
) -> Result<ExitCode, Failure> {
    let options = PlatformOptions {
        server_role: args.server_role,
        server_connections: args.server_connections,
        lane: LaneOptions {
            width: args.lane_width,
            capacity: args.lane_capacity,
        },
        fence: if args.allow_partial_fence {
            FenceRule::Partial
        } else {
            FenceRule::Complete
        },
        ..PlatformOptions::new(secret)
    };
    let report = platform::migrate(db, PlatformMigrator, options).await?;
    if json {
        say(&report_json(&report).to_string());
    } else {
        print(&report);
    }
    Ok(ExitCode::SUCCESS)
}

fn print(report: &PlatformReport) {
    let applied = match report.applied.as_slice() {
        [] => "nothing, the platform is up to date".to_owned(),
        steps => steps.join(", "),
    };
    let lanes = match report.lanes.as_slice() {
        [one] => one.clone(),
        many => format!("{} of them", many.len()),
    };
    let fence = match (report.fence.closed.len(), report.fence.gaps.len()) {
        (0, 0) => "up".to_owned(),
        (closed, 0) => format!("up; {closed} rights were taken from PUBLIC"),
        (_, gaps) => format!("has {gaps} gaps"),
    };
    say(&fields(&[
        ("applied", &applied),
        ("server role", report.server_role.as_str()),
        ("lanes", &lanes),
        ("fence", &fence),
    ]));
    if !report.fence.gaps.is_empty() {
        complain("\nwarning: the fence has gaps. Close them as a superuser in this database:\n");
        complain(&report.fence.remedy());
    }
}

fn report_json(report: &PlatformReport) -> serde_json::Value {
    let gaps: Vec<_> = report
        .fence
        .gaps
        .iter()
        .map(|gap| json!({ "object": gap.object, "owner": gap.owner, "remedy": gap.remedy }))
        .collect();
    json!({
        "applied": report.applied,
        "server_role": report.server_role.as_str(),
        "lanes": report.lanes,
        "fence": { "closed": report.fence.closed, "gaps": gaps },
    })
}
