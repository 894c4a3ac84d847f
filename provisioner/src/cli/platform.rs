//! `tubex platform migrate`.

use std::process::ExitCode;

use clap::Args;
use migration::{NodeMigrator, PlatformMigrator};
use provisioner::fence::FenceReport;
use provisioner::lanes::{Membership, MendedMemberships};
use provisioner::platform::{self, FenceRule, PlatformOptions, PlatformReport};
use provisioner::{LaneOptions, NodeConnector, Provisioner, RoleName};
use sea_orm::DatabaseConnection;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::dealers::Dealers;
use super::failure::Failure;
use super::nodes;
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

/// Exit code 1 when a node failed; one that is out of reach is no failure.
pub(super) async fn migrate(
    db: &DatabaseConnection,
    connector: NodeConnector,
    secret: SecretString,
    args: MigrateArgs,
    json: bool,
) -> Result<ExitCode, Failure> {
    let rule = FenceRule::allowing_gaps(args.allow_partial_fence);
    let options = PlatformOptions {
        server_role: args.server_role,
        server_connections: args.server_connections,
        lane: LaneOptions {
            width: args.lane_width,
            capacity: args.lane_capacity,
        },
        fence: rule,
        ..PlatformOptions::new(secret.clone())
    };
    let report = platform::migrate(db, PlatformMigrator, options).await?;
    let provisioner = Provisioner::new(db.clone(), secret, Dealers).with_nodes(connector);
    let nodes = provisioner.migrate_nodes(NodeMigrator, rule).await?;
    let has_failed = nodes::has_failed(&nodes);
    if json {
        let mut shown = report_json(&report);
        shown["nodes"] = nodes::reports_json(nodes);
        say(&shown.to_string());
    } else {
        print(&report);
        nodes::print(nodes);
    }
    Ok(if has_failed {
        ExitCode::from(1)
    } else {
        ExitCode::SUCCESS
    })
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
    print_memberships(&report.memberships);
    if report.marks_mended > 0 {
        say(&format!(
            "{} change marks of another cluster were set anew: was a dump restored here?",
            report.marks_mended
        ));
    }
    if !report.fence.gaps.is_empty() {
        complain("\nwarning: the fence has gaps. Close them as a superuser in this database:\n");
        complain(&report.fence.remedy());
    }
}

fn report_json(report: &PlatformReport) -> Value {
    json!({
        "applied": report.applied,
        "server_role": report.server_role.as_str(),
        "lanes": report.lanes,
        "fence": { "closed": report.fence.closed, "gaps": gaps_json(&report.fence) },
        "memberships": memberships_json(&report.memberships),
        "marks_mended": report.marks_mended,
    })
}

pub(super) fn gaps_json(fence: &FenceReport) -> Value {
    fence
        .gaps
        .iter()
        .map(|gap| json!({ "object": gap.object, "owner": gap.owner, "remedy": gap.remedy }))
        .collect()
}

pub(super) fn memberships_json(mended: &MendedMemberships) -> Value {
    let list = |memberships: &[Membership]| -> Value {
        memberships
            .iter()
            .map(|one| json!({ "role": one.role, "login": one.login }))
            .collect()
    };
    json!({ "granted": list(&mended.granted), "revoked": list(&mended.revoked) })
}

pub(super) fn print_memberships(mended: &MendedMemberships) {
    for Membership { role, login } in &mended.revoked {
        say(&format!(
            "{login} could still become {role}, and can't any more"
        ));
    }
    for Membership { role, login } in &mended.granted {
        say(&format!("{login} could not become {role}, and can now"));
    }
}
