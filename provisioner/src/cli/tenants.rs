//! `tubex tenant list`, `show`, `suspend` and `resume`.

use std::process::ExitCode;

use clap::Args;
use entity::platform::tenant::Status;
use provisioner::{ListTenants, Provisioner, TenantEntry};
use sea_orm::{ActiveEnum as _, Iterable as _};
use serde_json::json;

use super::actor;
use super::dealers::Dealers;
use super::failure::Failure;
use super::output::{self, moment, say, tenant_fields, tenant_json};

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// Only those that stand here: provisioning, active, suspended, past_grace, closing, archived
    #[arg(long, value_parser = status)]
    status: Option<Status>,
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
    tenant: String,
}

#[derive(Debug, Args)]
pub(super) struct SuspendArgs {
    /// The tenant's slug or id
    #[arg(value_name = "SLUG|ID")]
    tenant: String,
    /// Why; goes into the tenant's history, so no personal data
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

pub(super) async fn list(
    provisioner: &Provisioner<Dealers>,
    args: ListArgs,
    json: bool,
) -> Result<ExitCode, Failure> {
    let which = ListTenants {
        status: args.status,
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
            let (status, created) = (tenant.status.to_value(), moment(tenant.created_at));
            [
                tenant.slug,
                tenant.name,
                status,
                tenant.schema_version,
                tenant.lane,
                created,
            ]
        })
        .collect();
    say(&output::table(
        ["SLUG", "NAME", "STATUS", "VERSION", "LANE", "CREATED"],
        &rows,
    ));
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
