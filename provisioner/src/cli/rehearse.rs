//! `tubex rehearse`: what a run would do, tried on clones.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use provisioner::fleet::RunState;
use provisioner::rehearse::{Outcome, Prediction, Rehearsal, RehearseOptions, Rehearsed};
use provisioner::{Provisioner, RunEntry};
use serde_json::{Value, json};

use super::actor;
use super::dealers::Dealers;
use super::failure::Failure;
use super::output::{say, size, table};

#[derive(Debug, Args)]
pub(super) struct RehearseArgs {
    /// Where to; the newest migration of this build if it isn't said
    #[arg(long, value_name = "MIGRATION")]
    to: Option<String>,
    /// With so many tenants at most
    #[arg(long, value_name = "K", default_value_t = 5,
        value_parser = clap::value_parser!(u16).range(1..=100))]
    most: u16,
    /// Copy no more than so many megabytes of tables and indexes
    #[arg(long, value_name = "N", default_value_t = 1_024,
        value_parser = clap::value_parser!(u32).range(1..=1_048_576))]
    budget_mb: u32,
    /// End after so many seconds, with what was learnt by then
    #[arg(long, value_name = "S", default_value_t = 300,
        value_parser = clap::value_parser!(u32).range(1..=86_400))]
    budget_seconds: u32,
    /// Connections that the run will have: what is to be expected depends on them
    #[arg(long, value_name = "C", default_value_t = 2,
        value_parser = clap::value_parser!(u16).range(1..=16))]
    connections: u16,
}

/// Exit code 1 when a run would fail somewhere.
pub(super) async fn run(
    provisioner: &Provisioner<Dealers>,
    args: RehearseArgs,
    json: bool,
) -> Result<ExitCode, Failure> {
    let options = RehearseOptions {
        to: args.to,
        most: args.most.into(),
        budget_bytes: i64::from(args.budget_mb) * 1_048_576,
        budget: Duration::from_secs(args.budget_seconds.into()),
        connections: args.connections,
    };
    let rehearsed = match provisioner.rehearse(options, &actor()).await? {
        Rehearsal::Nothing { target } => {
            match json {
                true => say(&json!({ "pending": 0, "target_version": target }).to_string()),
                false => say(&format!("nothing to rehearse: nobody is behind {target}")),
            }
            return Ok(ExitCode::SUCCESS);
        }
        Rehearsal::Held(rehearsed) => rehearsed,
    };
    if json {
        let text = serde_json::to_string(&rehearsed);
        say(&text.expect("a rehearsal has nothing that JSON can't say"));
    } else {
        print(&rehearsed);
    }
    Ok(ExitCode::from(u8::from(rehearsed.has_failed())))
}

fn print(rehearsed: &Rehearsed) {
    say(&format!(
        "rehearsed {} of {} that are behind {}, in {}",
        rehearsed.tenants.len(),
        rehearsed.pending,
        rehearsed.target_version,
        time(rehearsed.took_ms * 1_000)
    ));
    let rows: Vec<_> = rehearsed
        .tenants
        .iter()
        .map(|tenant| {
            let outcome = match tenant.outcome {
                Outcome::Done => "done",
                Outcome::Failed => "FAILED",
                Outcome::NotRehearsed => "-",
            };
            [
                tenant.slug.clone(),
                tenant.from_version.clone(),
                size(Some(tenant.bytes)),
                tenant.rows.to_string(),
                outcome.to_owned(),
                time(tenant.duration_us),
                time(tenant.locked_us),
                tenant.why.clone(),
            ]
        })
        .collect();
    if !rows.is_empty() {
        let head = [
            "TENANT", "AT", "SIZE", "ROWS", "OUTCOME", "TOOK", "LOCKED", "WHY",
        ];
        say(&table(head, &rows));
    }
    for tenant in &rehearsed.tenants {
        let Some(error) = &tenant.error else {
            continue;
        };
        say(&format!(
            "\n{} at {}: would fail",
            tenant.slug, tenant.from_version
        ));
        for name in ["message", "statement", "hint"] {
            if let Some(text) = error[name].as_str() {
                let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
                say(&format!("    {name}: {text}"));
            }
        }
        if !error["difference"].is_null() {
            say(&format!("    difference: {}", error["difference"]));
        }
    }
    for note in &rehearsed.notes {
        say(&format!("note: {note}"));
    }
    if let Some(expected) = &rehearsed.prediction {
        say("");
        say(&in_words(expected));
    }
}

/// What is to be expected, for people.
fn in_words(expected: &Prediction) -> String {
    let waits = match expected.traffic_is_known {
        false => "nothing is known of requests, so no wait is expected".to_owned(),
        true => format!(
            "{} locks meet a request, {} of them are not to be had within {} ms",
            milli(expected.meetings_milli),
            milli(expected.lock_waits_milli),
            expected.lock_timeout_ms
        ),
    };
    format!(
        "to be expected of all {}, {}: {} with {} connections ({} each and {} per MiB); {waits}",
        expected.tenants,
        size(Some(expected.bytes)),
        time(expected.duration_us),
        expected.connections,
        time(expected.fixed_us),
        time(expected.us_per_mib),
    )
}

/// What was to be expected of a run, beside what came.
pub(super) fn beside(run: &RunEntry) -> String {
    let Some(rehearsal) = &run.rehearsal else {
        return "none before it: tubex rehearse".to_owned();
    };
    let expected = rehearsal.prediction.clone().unwrap_or(Value::Null);
    let Ok(expected) = serde_json::from_value::<Prediction>(expected) else {
        return format!(
            "{}: no clone came through, so nothing was expected",
            rehearsal.id
        );
    };
    let waits = milli(expected.lock_waits_milli);
    let promise = format!(
        "{} with {} connections and {waits} lock waits expected",
        time(expected.duration_us),
        expected.connections
    );
    match run.state {
        RunState::Done | RunState::Cancelled => {
            let took = u64::try_from(run.elapsed_ms).unwrap_or_default() * 1_000;
            format!(
                "{promise}; it took {} with {} lock waits",
                time(took),
                run.lock_waits
            )
        }
        _ => promise,
    }
}

fn time(us: u64) -> String {
    match us {
        0..10_000_000 => format!("{}.{:03} ms", us / 1_000, us % 1_000),
        _ => format!("{}.{} s", us / 1_000_000, us / 100_000 % 10),
    }
}

/// A count of which thousandths are known.
fn milli(count: u64) -> String {
    format!("{}.{:03}", count / 1_000, count % 1_000)
}
