//! `tubex migrate`.

use std::process::ExitCode;

use provisioner::{MigrateOptions, MigrateSummary, Provisioner};
use serde_json::{Value, json};

use super::actor;
use super::dealers::Dealers;
use super::failure::{Failure, chain};
use super::output::say;

/// Exit code 1 when a tenant failed; one that is ahead of this build is no failure.
pub(super) async fn migrate(
    provisioner: &Provisioner<Dealers>,
    json: bool,
) -> Result<ExitCode, Failure> {
    let summary = provisioner.migrate(&MigrateOptions::new(actor())).await?;
    if json {
        say(&summary_json(&summary).to_string());
    } else {
        print(&summary);
    }
    Ok(if summary.failed.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    })
}

fn print(summary: &MigrateSummary) {
    let MigrateSummary {
        head,
        at_head,
        migrated,
        failed,
        ahead,
    } = summary;
    for tenant in migrated {
        say(&format!(
            "{}: {} -> {head} in {} ms",
            tenant.slug,
            tenant.from,
            tenant.took.as_millis()
        ));
    }
    for tenant in ahead {
        say(&format!(
            "{}: at {}, which this build does not know",
            tenant.slug, tenant.version
        ));
    }
    for tenant in failed {
        say(&format!(
            "{}: FAILED at {}: {}",
            tenant.slug,
            tenant.from,
            chain(&tenant.error)
        ));
    }
    say(&format!(
        "head {head}: {} migrated, {at_head} there already, {} failed, {} ahead of this build",
        migrated.len(),
        failed.len(),
        ahead.len(),
    ));
    if !failed.is_empty() {
        say("those that failed are as they were; mend the cause and run tubex migrate again");
    }
}

fn summary_json(summary: &MigrateSummary) -> Value {
    let migrated: Vec<_> = summary
        .migrated
        .iter()
        .map(|tenant| {
            json!({
                "id": tenant.id,
                "slug": tenant.slug,
                "from": tenant.from,
                "duration_ms": tenant.took.as_millis() as u64,
            })
        })
        .collect();
    let failed: Vec<_> = summary
        .failed
        .iter()
        .map(|tenant| {
            json!({
                "id": tenant.id,
                "slug": tenant.slug,
                "from": tenant.from,
                "sqlstate": tenant.error.sqlstate(),
                "message": chain(&tenant.error),
            })
        })
        .collect();
    let ahead: Vec<_> = summary
        .ahead
        .iter()
        .map(|tenant| json!({ "id": tenant.id, "slug": tenant.slug, "version": tenant.version }))
        .collect();
    json!({
        "head": summary.head,
        "at_head": summary.at_head,
        "migrated": migrated,
        "failed": failed,
        "ahead": ahead,
    })
}
