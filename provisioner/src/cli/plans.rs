//! `tubex plan`, and the plan of a tenant.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use provisioner::plans::{Change, Plan, SetPlan};
use provisioner::{Label, Provisioner};
use serde_json::{Value, json};

use super::dealers::Dealers;
use super::failure::Failure;
use super::output::{self, say, table};
use super::{actor, tenants};

#[derive(Debug, Subcommand)]
pub(super) enum PlanCommand {
    /// List plans and their limits
    List,
    /// Make a plan, or change one
    ///
    /// What isn't named stays as it is; in a new plan the server's configuration decides. The word
    /// "default" gives a limit back to the configuration.
    Set(SetArgs),
}

#[derive(Debug, Args)]
pub(super) struct SetArgs {
    /// Its name: letters a-z, digits, hyphens and underscores
    name: Label,
    /// Transactions of one tenant at once in one server process, 1 to 1000; more wait, and after
    /// a while are told to come back
    #[arg(long, value_name = "N|default", value_parser = change)]
    concurrency: Option<Change>,
    /// Longest time one statement may run, 10 to 600000
    #[arg(long, value_name = "N|default", value_parser = change)]
    statement_timeout_ms: Option<Change>,
    /// Longest time a transaction may lie idle between two statements, 10 to 600000
    #[arg(long, value_name = "N|default", value_parser = change)]
    idle_in_transaction_timeout_ms: Option<Change>,
    /// Requests of one tenant's people and machines a minute, all together, 1 to 10000000
    #[arg(long, value_name = "N|default", value_parser = change)]
    requests_per_minute: Option<Change>,
    /// Whether a new tenant gets a lane of its own; those who are there stay where they are
    #[arg(long, value_name = "true|false")]
    dedicated_lane: Option<bool>,
}

#[derive(Debug, Args)]
pub(super) struct TenantPlanArgs {
    /// The tenant's slug or id
    #[arg(value_name = "TENANT")]
    tenant: String,
    /// The plan's name, or "none" to take it away
    #[arg(value_name = "PLAN|none")]
    plan: Label,
}

pub(super) async fn run(
    provisioner: &Provisioner<Dealers>,
    command: PlanCommand,
    json: bool,
) -> Result<ExitCode, Failure> {
    match command {
        PlanCommand::List => list(provisioner, json).await?,
        PlanCommand::Set(args) => set(provisioner, args, json).await?,
    }
    Ok(ExitCode::SUCCESS)
}

/// `tubex tenant plan`.
pub(super) async fn change_plan(
    provisioner: &Provisioner<Dealers>,
    args: TenantPlanArgs,
    json: bool,
) -> Result<ExitCode, Failure> {
    let plan = (args.plan.as_str() != NONE).then_some(args.plan);
    let tenant = provisioner
        .change_plan(&args.tenant, plan, &actor())
        .await?;
    tenants::print(&tenant, json);
    Ok(ExitCode::SUCCESS)
}

/// The word that takes a plan away, and so names none.
const NONE: &str = "none";

async fn list(provisioner: &Provisioner<Dealers>, json: bool) -> Result<(), Failure> {
    let plans = provisioner.plans().await?;
    if json {
        let data: Vec<_> = plans.iter().map(plan_json).collect();
        say(&json!({ "data": data }).to_string());
        return Ok(());
    }
    if plans.is_empty() {
        say("no plans");
        return Ok(());
    }
    let rows: Vec<_> = plans
        .iter()
        .map(|plan| {
            [
                plan.name.clone(),
                limit(plan.concurrency),
                limit(plan.statement_timeout_ms),
                limit(plan.idle_in_transaction_timeout_ms),
                limit(plan.requests_per_minute),
                plan.dedicated_lane.to_string(),
            ]
        })
        .collect();
    let heading = [
        "PLAN",
        "CONCURRENCY",
        "STATEMENT MS",
        "IDLE MS",
        "REQUESTS/MIN",
        "DEDICATED LANE",
    ];
    say(&table(heading, &rows));
    Ok(())
}

async fn set(provisioner: &Provisioner<Dealers>, args: SetArgs, json: bool) -> Result<(), Failure> {
    if args.name.as_str() == NONE {
        return Err(Failure::usage(
            "a plan can't be called \"none\": that word takes a tenant's plan away",
        ));
    }
    let set = SetPlan {
        name: args.name,
        concurrency: args.concurrency.unwrap_or_default(),
        statement_timeout_ms: args.statement_timeout_ms.unwrap_or_default(),
        idle_in_transaction_timeout_ms: args.idle_in_transaction_timeout_ms.unwrap_or_default(),
        requests_per_minute: args.requests_per_minute.unwrap_or_default(),
        dedicated_lane: args.dedicated_lane,
    };
    let plan = provisioner.set_plan(set).await?;
    say(&if json {
        plan_json(&plan).to_string()
    } else {
        output::fields(&[
            ("plan", &plan.name),
            ("concurrency", &limit(plan.concurrency)),
            ("statement timeout, ms", &limit(plan.statement_timeout_ms)),
            (
                "idle in transaction, ms",
                &limit(plan.idle_in_transaction_timeout_ms),
            ),
            ("requests a minute", &limit(plan.requests_per_minute)),
            ("dedicated lane", &plan.dedicated_lane.to_string()),
        ])
    });
    Ok(())
}

fn plan_json(plan: &Plan) -> Value {
    json!({
        "name": plan.name,
        "concurrency": plan.concurrency,
        "statement_timeout_ms": plan.statement_timeout_ms,
        "idle_in_transaction_timeout_ms": plan.idle_in_transaction_timeout_ms,
        "requests_per_minute": plan.requests_per_minute,
        "dedicated_lane": plan.dedicated_lane,
    })
}

fn limit(value: Option<i32>) -> String {
    value.map_or_else(|| "default".to_owned(), |value| value.to_string())
}

fn change(text: &str) -> Result<Change, String> {
    match text {
        "default" => Ok(Change::Default),
        _ => text
            .parse()
            .map(Change::To)
            .map_err(|_| "a whole number, or \"default\"".to_owned()),
    }
}
