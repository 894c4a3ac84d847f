//! `tubex tenant list`, `show`, `suspend` and `resume`.

use std::process::ExitCode;

use clap::Args;
use entity::platform::tenant::Status;
use provisioner::{Label, ListTenants, Provisioner, TenantEntry};
use sea_orm::{ActiveEnum as _, Iterable as _};
use serde_json::json;

use super::actor;
use super::dealers::Dealers;
use super::failure::Failure;
use super::output::{self, moment, say, size, tenant_fields, tenant_json, unknown};

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// Only those that stand here: spare, provisioning, active, suspended, past_grace, closing,
    /// archived, gone. Without this, spares and those that are gone are left out.
    #[arg(long, value_parser = status)]
    status: Option<Status>,
    /// Only those that carry this word
    #[arg(long, value_name = "WORD")]
    tag: Option<Label>,
    /// Only those on this plan
    #[arg(long)]
    plan: Option<Label>,
    /// Only those on the lane with this login
    #[arg(long, value_name = "LOGIN")]
    lane: Option<String>,
    /// Only those on this node
    #[arg(long, value_name = "NAME")]
    node: Option<Label>,
    /// Only those whose newest migration is this
    #[arg(long, value_name = "MIGRATION")]
    version: Option<String>,
    /// How many at most, up to 1000
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=1000))]
    limit: u64,
    /// Only those after this slug: the `next` of the page before
    #[arg(long, value_name = "SLUG")]
    after: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// The tenant's slug or id
    #[arg(value_name = "SLUG|ID")]
    pub(super) tenant: String,
}

#[derive(Debug, Args)]
pub(super) struct SuspendArgs {
    /// The tenant's slug or id
    #[arg(value_name = "SLUG|ID")]
    pub(super) tenant: String,
    /// Why; goes into the tenant's history, so no personal data
    #[arg(long, value_name = "TEXT")]
    pub(super) reason: String,
}

pub(super) async fn list(
    provisioner: &Provisioner<Dealers>,
    args: ListArgs,
    json: bool,
) -> Result<ExitCode, Failure> {
    let which = ListTenants {
        status: args.status,
        tag: args.tag,
        plan: args.plan,
        lane: args.lane,
        node: args.node,
        version: args.version,
        after: args.after,
        limit: args.limit,
    };
    let page = provisioner.list(&which).await?;
    if json {
        let data: Vec<_> = page.tenants.iter().map(tenant_json).collect();
        say(&json!({ "data": data, "next": page.next }).to_string());
        return Ok(ExitCode::SUCCESS);
    }
    if page.tenants.is_empty() {
        say("no tenants");
        return Ok(ExitCode::SUCCESS);
    }
    let rows: Vec<_> = page
        .tenants
        .into_iter()
        .map(|tenant| {
            [
                tenant.slug,
                tenant.name,
                tenant.status.to_value(),
                tenant.schema_version,
                tenant.lane,
                size(tenant.size_bytes),
                tenant.last_active_at.map_or_else(unknown, moment),
                tenant.tags.join(","),
            ]
        })
        .collect();
    let heading = [
        "SLUG", "NAME", "STATUS", "VERSION", "LANE", "SIZE", "ACTIVE", "TAGS",
    ];
    say(&output::table(heading, &rows));
    if let Some(next) = page.next {
        say(&format!("\nmore with --after {next}"));
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn show(
    provisioner: &Provisioner<Dealers>,
    args: ShowArgs,
    json: bool,
) -> Result<ExitCode, Failure> {
    print(&provisioner.show(&args.tenant).await?, json);
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn suspend(
    provisioner: &Provisioner<Dealers>,
    args: SuspendArgs,
    json: bool,
) -> Result<ExitCode, Failure> {
    let actor = actor();
    let suspended = provisioner.suspend(&args.tenant, &args.reason, &actor);
    print(&suspended.await?, json);
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn resume(
    provisioner: &Provisioner<Dealers>,
    args: ShowArgs,
    json: bool,
) -> Result<ExitCode, Failure> {
    print(&provisioner.resume(&args.tenant, &actor()).await?, json);
    Ok(ExitCode::SUCCESS)
}

pub(super) fn print(tenant: &TenantEntry, json: bool) {
    say(&if json {
        tenant_json(tenant).to_string()
    } else {
        tenant_fields(tenant)
    });
}

fn status(text: &str) -> Result<Status, String> {
    Status::iter()
        .find(|status| status.to_value() == text)
        .ok_or_else(|| {
            let known: Vec<_> = Status::iter().map(|status| status.to_value()).collect();
            format!("known: {}", known.join(", "))
        })
}
