//! `tubex status` and `tubex drift`: the whole fleet, as it stands and as it looks.

mod drift;

use std::process::ExitCode;

use provisioner::{FleetStatus, Provisioner};

pub(super) use self::drift::{DriftArgs, drift};
use super::dealers::Dealers;
use super::failure::Failure;
use super::output::{moment, say, table};

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
