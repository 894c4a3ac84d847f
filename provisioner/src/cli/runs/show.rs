//! Runs and their tenants, printed.

use provisioner::fleet::{ListPlaces, PlaceEntry, PlaceState, RunState};
use provisioner::{Provisioner, RunEntry, RunError};
use sea_orm::ActiveEnum as _;
use serde_json::{Value, json};

use super::run_json;
use crate::cli::dealers::Dealers;
use crate::cli::output::{fields, moment, say, table};
use crate::cli::rehearse;

/// Everybody stands there already.
pub(super) fn nothing(target: &str, there: i64, ahead: i64, json: bool) {
    if json {
        let nothing = json!({
            "event": "nothing", "target_version": target, "there": there, "ahead": ahead,
        });
        say(&nothing.to_string());
        return;
    }
    say(&format!("nothing to do: {there} stand at {target}"));
    if ahead > 0 {
        say(&format!(
            "{ahead} stand at versions that this build does not know and are left alone"
        ));
    }
}

pub(super) fn list(runs: &[RunEntry], json: bool) {
    if json {
        let data: Vec<_> = runs.iter().map(run_json).collect();
        say(&json!({ "data": data }).to_string());
        return;
    }
    if runs.is_empty() {
        say("no runs yet: tubex migrate begins one");
        return;
    }
    let rows: Vec<_> = runs
        .iter()
        .map(|run| {
            [
                run.id.to_string(),
                kind(run).to_owned(),
                run.target_version.clone(),
                run.state.to_value(),
                format!("{}/{}", run.counts.done, run.counts.all()),
                (run.counts.failed + run.counts.quarantined).to_string(),
                moment(run.created_at),
            ]
        })
        .collect();
    say(&table(
        ["RUN", "KIND", "TO", "STATE", "DONE", "FAILED", "BEGUN"],
        &rows,
    ));
}

fn kind(run: &RunEntry) -> &'static str {
    match run.reverts {
        None => "migration",
        Some(_) => "rollback",
    }
}

/// A run on one line, and what can be done with it.
pub(super) fn line(run: &RunEntry, json: bool) {
    if json {
        say(&run_json(run).to_string());
        return;
    }
    say(&summary(run));
    if let Some(next) = next(run) {
        say(&next);
    }
}

/// How a run stands, on one line.
pub(super) fn summary(run: &RunEntry) -> String {
    let counts = run.counts;
    let mut text = format!(
        "run {} {}: {} of {} done",
        run.id,
        run.state.to_value(),
        counts.done,
        counts.all()
    );
    for (count, word) in [
        (counts.open(), "to go"),
        (counts.failed, "failed"),
        (counts.quarantined, "quarantined"),
        (counts.skipped, "skipped"),
    ] {
        if count > 0 {
            text.push_str(&format!(", {count} {word}"));
        }
    }
    if let Some(reason) = &run.reason {
        text.push_str(&format!(" ({reason})"));
    }
    text
}

/// What somebody may want to do now.
pub(super) fn next(run: &RunEntry) -> Option<String> {
    let id = run.id;
    let text = match run.state {
        RunState::Running => format!("go on with it: tubex runs work {id}"),
        RunState::Paused => format!("go on with it: tubex runs resume {id}"),
        RunState::Waiting => format!("begin the next wave: tubex runs approve {id}"),
        RunState::Halted => format!(
            "see who failed: tubex runs show {id}; then tubex runs retry, resume, cancel or rollback"
        ),
        RunState::Cancelled | RunState::Done if run.counts.failed + run.counts.quarantined > 0 => {
            format!(
                "see who failed: tubex runs show {id}; mend the cause, then tubex runs retry {id}"
            )
        }
        RunState::Cancelled | RunState::Done => return None,
    };
    Some(text)
}

/// A run in full, with tenants: those asked for, or those that need somebody.
pub(super) async fn run(
    provisioner: &Provisioner<Dealers>,
    run: &RunEntry,
    which: &ListPlaces,
    json: bool,
) -> Result<(), RunError> {
    let mut places = vec![];
    let mut next_page = None;
    if which.state.is_some() || json {
        let page = provisioner.places(run.id, which).await?;
        (places, next_page) = (page.places, page.next);
    } else {
        for state in [
            PlaceState::Quarantined,
            PlaceState::Failed,
            PlaceState::Running,
        ] {
            let which = ListPlaces {
                state: Some(state),
                ..which.clone()
            };
            places.extend(provisioner.places(run.id, &which).await?.places);
        }
    }
    if json {
        let mut all = run_json(run);
        all["places"] = places.iter().map(place_json).collect();
        all["next"] = next_page.into();
        say(&all.to_string());
        return Ok(());
    }
    print(run, &places);
    if let Some(position) = next_page {
        say(&format!("\nmore with --after {position}"));
    }
    if let Some(next) = next(run) {
        say(&format!("\n{next}"));
    }
    Ok(())
}

fn print(run: &RunEntry, places: &[PlaceEntry]) {
    let counts = run.counts;
    let (id, state) = (run.id.to_string(), run.state.to_value());
    let of = format!("{} of {}", run.wave + 1, run.waves);
    let tenants = format!(
        "{} done, {} pending, {} running, {} failed, {} quarantined, {} skipped",
        counts.done,
        counts.pending,
        counts.running,
        counts.failed,
        counts.quarantined,
        counts.skipped
    );
    let (begun, ended) = (moment(run.created_at), run.finished_at.map(moment));
    let expected = rehearse::beside(run);
    say(&fields(&[
        ("run", &id),
        ("kind", kind(run)),
        ("to", &run.target_version),
        ("state", &state),
        ("why", run.reason.as_deref().unwrap_or("-")),
        ("wave", &of),
        ("tenants", &tenants),
        ("rows filled", &run.rows_filled.to_string()),
        ("begun", &begun),
        ("by", &run.actor),
        ("ended", ended.as_deref().unwrap_or("-")),
        ("rehearsal", &expected),
    ]));
    if places.is_empty() {
        return;
    }
    say("");
    for place in places {
        say(&format!(
            "{}: {} at {} after {} tries{}",
            place.slug,
            place.state.to_value(),
            place.reached.as_deref().unwrap_or(&place.from_version),
            place.attempts,
            place
                .error
                .as_ref()
                .map_or_else(String::new, |error| { format!("\n{}", indented(error)) }),
        ));
    }
}

/// What went wrong, for people.
fn indented(error: &Value) -> String {
    let mut lines = vec![];
    for name in ["message", "statement", "hint"] {
        if let Some(text) = error[name].as_str() {
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            lines.push(format!("    {name}: {text}"));
        }
    }
    for (name, word) in [
        ("extra", "extra"),
        ("missing", "missing"),
        ("changed", "changed"),
    ] {
        let objects = error["difference"][name]["objects"].as_array();
        let names: Vec<_> = objects
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        if !names.is_empty() {
            lines.push(format!("    {word}: {}", names.join(", ")));
        }
    }
    lines.join("\n")
}

fn place_json(place: &PlaceEntry) -> Value {
    json!({
        "tenant_id": place.tenant_id,
        "slug": place.slug,
        "wave": place.wave,
        "state": place.state.to_value(),
        "from_version": place.from_version,
        "target_version": place.target_version,
        "reached": place.reached,
        "attempts": place.attempts,
        "lock_waits": place.lock_waits,
        "rows_filled": place.rows_filled,
        "error": place.error,
        "started_at": place.started_at.map(moment),
        "finished_at": place.finished_at.map(moment),
    })
}
