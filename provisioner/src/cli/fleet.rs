//! `tubex status` and `tubex drift`: the whole fleet, as it stands and as it looks.

use std::process::ExitCode;

use clap::Args;
use provisioner::{Depth, FleetStatus, Provisioner};
use serde_json::json;

use super::dealers::Dealers;
use super::failure::Failure;
use super::output::{complain, moment, say, table};

#[derive(Debug, Args)]
pub(super) struct DriftArgs {
    /// Also measure how large each tenant is, for lists and selectors
    #[arg(long)]
    sizes: bool,
}

pub(super) async fn status(
    provisioner: &Provisioner<Dealers>,
    json: bool,
) -> Result<ExitCode, Failure> {
    let status = provisioner.status().await?;
    if json {
        let text = serde_json::to_string(&status);
        say(&text.expect("a status has nothing that JSON can't say"));
    } else {
        print(&status);
    }
    Ok(ExitCode::SUCCESS)
}

fn print(status: &FleetStatus) {
    let head = status.head.as_deref().unwrap_or("none");
    let most = status.versions.iter().map(|one| one.tenants).max();
    let most = most.unwrap_or_default().max(1);
    let rows: Vec<_> = status
        .versions
        .iter()
        .map(|one| {
            let width = (one.tenants * 30 + most - 1) / most;
            let mark = if one.version == head { " = head" } else { "" };
            [
                format!("{}{mark}", one.version),
                one.tenants.to_string(),
                one.spares.to_string(),
                "#".repeat(usize::try_from(width).unwrap_or_default()),
            ]
        })
        .collect();
    say(&table(["VERSION", "TENANTS", "SPARES", ""], &rows));
    let statuses = status.statuses.iter();
    let statuses = statuses.map(|one| format!("{} {}", one.tenants, one.status));
    say("");
    say(&format!(
        "tenants      {}",
        statuses.collect::<Vec<_>>().join(", ")
    ));
    say(&format!("failed       {}", status.failed));
    if let Some(oldest) = &status.oldest_failure {
        let at = oldest.at.map(moment);
        let message = oldest
            .error
            .as_ref()
            .and_then(|error| error["message"].as_str());
        say(&format!(
            "  oldest     {} since {}: {}\n             tubex runs show {}",
            oldest.slug,
            at.as_deref().unwrap_or("ever"),
            message.unwrap_or("no word of why"),
            oldest.run
        ));
    }
    say(&format!("quarantined  {}", status.quarantined));
    say(&format!("drifted      {}", status.drifted));
    say(&format!(
        "spares       {} of {} ready",
        status.spares.ready, status.spares.goal
    ));
    say(&match &status.run {
        None => "run          none".to_owned(),
        Some(run) => format!(
            "run          {} {} to {}, {} of {} over",
            run.id, run.state, run.target_version, run.over, run.all
        ),
    });
    say(&format!("servers      {} live", status.servers));
}

/// Exit code 1 when a schema is not as it should be, or a node could not be looked at.
pub(super) async fn drift(
    provisioner: &Provisioner<Dealers>,
    args: DriftArgs,
    json: bool,
) -> Result<ExitCode, Failure> {
    let depth = match args.sizes {
        true => Depth::Sizes,
        false => Depth::Structure,
    };
    let examined = provisioner.examine(depth).await?;
    let is_well = examined.drifted.is_empty() && examined.unreachable.is_empty();
    if json {
        let drifted = examined.drifted.iter().map(|one| {
            json!({
                "id": one.tenant_id,
                "slug": one.slug,
                "version": one.version,
                "difference": one.difference.to_json(),
            })
        });
        let unreachable = examined.unreachable.iter().map(ToString::to_string);
        say(&json!({
            "looked_at": examined.looked_at,
            "drifted": drifted.collect::<Vec<_>>(),
            "unknown": examined.unknown,
            "unreachable": unreachable.collect::<Vec<_>>(),
        })
        .to_string());
        return Ok(ExitCode::from(u8::from(!is_well)));
    }
    for one in &examined.drifted {
        let difference = &one.difference;
        say(&format!("{} at {}:", one.slug, one.version));
        for (word, objects) in [
            ("missing", &difference.missing),
            ("extra", &difference.extra),
            ("changed", &difference.changed),
        ] {
            if !objects.is_empty() {
                say(&format!("  {word}: {}", objects.join(", ")));
            }
        }
    }
    for slug in &examined.unknown {
        say(&format!(
            "{slug}: at a version that this build does not know"
        ));
    }
    for error in &examined.unreachable {
        complain(&format!("error: {error}"));
    }
    say(&format!(
        "{} schemas looked at, {} drifted, {} unknown",
        examined.looked_at,
        examined.drifted.len(),
        examined.unknown.len()
    ));
    Ok(ExitCode::from(u8::from(!is_well)))
}
