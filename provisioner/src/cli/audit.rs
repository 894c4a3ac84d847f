//! `tubex audit verify`: whether the trails of what was done are whole.

mod trail;

use std::process::ExitCode;

use clap::{Args, Subcommand};
use entity::platform::tenant::Status;
use provisioner::{ListTenants, Provisioner, TenantEntry};
use serde_json::{Value, json};

use self::trail::Verdict;
use super::dealers::Dealers;
use super::failure::Failure;
use super::output::{say, table};

/// Whoever has a trail.
const HAVE_ONE: [Status; 4] = [
    Status::Active,
    Status::Suspended,
    Status::PastGrace,
    Status::Closing,
];

#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    /// Read trails from their beginning and say whether anybody tampered with them
    ///
    /// Every record's hash covers the one before it; each is computed anew from what is stored, and
    /// compared with the notes that servers make beside the data (worker.checkpoint_seconds). Finds
    /// what was edited, removed, put in or put elsewhere. What was written after the newest note,
    /// and rewritten from there to the end with all hashes, is found by no one.
    ///
    /// Exit code 1 when a trail is broken, with the first record at which it is.
    Verify(VerifyArgs),
}

#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// Whose trails, by slug or id
    #[arg(
        value_name = "SLUG|ID",
        required_unless_present = "all",
        conflicts_with = "all"
    )]
    tenants: Vec<String>,
    /// Those of all tenants that have data
    #[arg(long)]
    all: bool,
}

/// Exit code 1 when a trail is broken.
pub(super) async fn run(
    provisioner: &Provisioner<Dealers>,
    AuditCommand::Verify(args): AuditCommand,
    json: bool,
) -> Result<ExitCode, Failure> {
    let mut looked = Vec::new();
    for tenant in chosen(provisioner, &args).await? {
        let verdict = trail::verify(provisioner, &tenant).await?;
        looked.push((tenant, verdict));
    }
    let is_whole = looked.iter().all(|(_, verdict)| verdict.broken.is_none());
    say(&match json {
        true => {
            let data: Vec<_> = looked.iter().map(to_json).collect();
            json!({ "data": data, "is_whole": is_whole }).to_string()
        }
        false => for_people(&looked),
    });
    Ok(ExitCode::from(u8::from(!is_whole)))
}

async fn chosen(
    provisioner: &Provisioner<Dealers>,
    args: &VerifyArgs,
) -> Result<Vec<TenantEntry>, Failure> {
    let mut found = Vec::new();
    for tenant in &args.tenants {
        found.push(provisioner.show(tenant).await?);
    }
    for status in HAVE_ONE.into_iter().filter(|_| args.all) {
        let mut after = None;
        loop {
            let which = ListTenants {
                status: Some(status),
                tag: None,
                plan: None,
                lane: None,
                node: None,
                version: None,
                after,
                limit: ListTenants::MAX_LIMIT,
            };
            let page = provisioner.list(&which).await?;
            found.extend(page.tenants);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    Ok(found)
}

fn to_json((tenant, verdict): &(TenantEntry, Verdict)) -> Value {
    json!({
        "id": tenant.id,
        "slug": tenant.slug,
        "records": verdict.records,
        "notes": verdict.notes,
        "noted_until": verdict.noted_until,
        "broken": verdict.broken.as_ref().map(|broken| json!({
            "seq": broken.seq,
            "kind": broken.kind.name(),
            "what": broken.kind.to_string(),
        })),
    })
}

fn for_people(looked: &[(TenantEntry, Verdict)]) -> String {
    let rows: Vec<_> = looked
        .iter()
        .map(|(tenant, verdict)| {
            let broken = verdict.broken.as_ref();
            [
                tenant.slug.clone(),
                verdict.records.to_string(),
                verdict.noted_until.to_string(),
                broken.map_or_else(
                    || "whole".to_owned(),
                    |broken| format!("broken at {}: {}", broken.seq, broken.kind),
                ),
            ]
        })
        .collect();
    table(["SLUG", "RECORDS", "NOTED UNTIL", "TRAIL"], &rows)
}
