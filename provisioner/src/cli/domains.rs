//! `tubex domain add`, `verify`, `list` and `remove`.

use std::net::SocketAddr;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use provisioner::{Dns, DomainEntry, DomainName, Provisioner};
use serde_json::{Value, json};

use super::actor;
use super::dealers::Dealers;
use super::failure::Failure;
use super::output::{self, fields, moment, say};

#[derive(Debug, Subcommand)]
pub(super) enum DomainCommand {
    /// Claim a domain and learn which TXT record proves it
    Add(DomainArgs),
    /// Look for the record; from then on servers answer at the domain
    Verify(VerifyArgs),
    /// List domains and whether they are proven
    List(ListArgs),
    /// Forget a domain; servers stop answering there
    Remove(DomainArgs),
}

#[derive(Debug, Args)]
pub(super) struct DomainArgs {
    /// The tenant's slug or id
    #[arg(value_name = "SLUG|ID")]
    tenant: String,
    /// The domain, such as shop.acme.example
    domain: DomainName,
}

#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    #[command(flatten)]
    which: DomainArgs,
    /// Ask this DNS server, not the machine's own: the one that is responsible for the domain knows
    /// a change before all caches do
    #[arg(long, value_name = "IP:PORT")]
    resolver: Option<SocketAddr>,
}

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// Only this tenant's
    #[arg(value_name = "SLUG|ID")]
    tenant: Option<String>,
}

/// Does what a word of `tubex domain` says.
pub(super) async fn run(
    provisioner: &Provisioner<Dealers>,
    command: DomainCommand,
    json: bool,
) -> Result<ExitCode, Failure> {
    match command {
        DomainCommand::Add(args) => add(provisioner, args, json).await,
        DomainCommand::Verify(args) => verify(provisioner, args, json).await,
        DomainCommand::List(args) => list(provisioner, args, json).await,
        DomainCommand::Remove(args) => remove(provisioner, args, json).await,
    }
}

async fn add(
    provisioner: &Provisioner<Dealers>,
    args: DomainArgs,
    json: bool,
) -> Result<ExitCode, Failure> {
    let entry = provisioner
        .claim_domain(&args.tenant, &args.domain, &actor())
        .await?;
    if json {
        say(&entry_json(&entry).to_string());
        return Ok(ExitCode::SUCCESS);
    }
    print_claim(&entry);
    Ok(ExitCode::SUCCESS)
}

/// A domain, and what is still to be done for it.
pub(super) fn print_claim(entry: &DomainEntry) {
    say(&entry_fields(entry));
    if entry.verified_at.is_none() {
        say(&format!(
            "\nPut this TXT record into DNS, then run\n  tubex domain verify {} {}",
            entry.tenant, entry.domain
        ));
    }
}

async fn verify(
    provisioner: &Provisioner<Dealers>,
    args: VerifyArgs,
    json: bool,
) -> Result<ExitCode, Failure> {
    let dns = match args.resolver {
        Some(server) => Dns::at(server),
        None => Dns::of_this_machine(),
    };
    let dns = dns.map_err(|error| Failure::stuck("dns", error.to_string()))?;
    let DomainArgs { tenant, domain } = args.which;
    let entry = provisioner
        .verify_domain(&tenant, &domain, &dns, &actor())
        .await?;
    say(&if json {
        entry_json(&entry).to_string()
    } else {
        entry_fields(&entry)
    });
    Ok(ExitCode::SUCCESS)
}

async fn remove(
    provisioner: &Provisioner<Dealers>,
    args: DomainArgs,
    json: bool,
) -> Result<ExitCode, Failure> {
    provisioner
        .remove_domain(&args.tenant, &args.domain, &actor())
        .await?;
    let domain = args.domain.as_str();
    say(&if json {
        json!({ "removed": domain }).to_string()
    } else {
        format!("{domain} is no longer served")
    });
    Ok(ExitCode::SUCCESS)
}

async fn list(
    provisioner: &Provisioner<Dealers>,
    args: ListArgs,
    json: bool,
) -> Result<ExitCode, Failure> {
    let entries = provisioner.list_domains(args.tenant.as_deref()).await?;
    if json {
        let data: Vec<_> = entries.iter().map(entry_json).collect();
        say(&json!({ "data": data }).to_string());
        return Ok(ExitCode::SUCCESS);
    }
    if entries.is_empty() {
        say("no domains");
        return Ok(ExitCode::SUCCESS);
    }
    let rows: Vec<_> = entries
        .into_iter()
        .map(|entry| {
            let verified = verified(&entry);
            [entry.domain, entry.tenant, verified]
        })
        .collect();
    say(&output::table(["DOMAIN", "TENANT", "VERIFIED"], &rows));
    Ok(ExitCode::SUCCESS)
}

fn verified(entry: &DomainEntry) -> String {
    entry
        .verified_at
        .map_or_else(|| "not yet".to_owned(), moment)
}

fn entry_fields(entry: &DomainEntry) -> String {
    fields(&[
        ("domain", &entry.domain),
        ("tenant", &entry.tenant),
        ("verified", &verified(entry)),
        ("record name", &entry.record_name),
        ("record type", "TXT"),
        ("record value", &entry.record_value),
    ])
}

pub(super) fn entry_json(entry: &DomainEntry) -> Value {
    json!({
        "domain": entry.domain,
        "tenant": entry.tenant,
        "record": { "name": entry.record_name, "type": "TXT", "value": entry.record_value },
        "verified_at": entry.verified_at.map(moment),
        "created_at": moment(entry.created_at),
    })
}
