//! What can only be read from a migration's words, and what it did to its own transaction.

use std::collections::BTreeMap;

use super::Seen;
use crate::Way;
use crate::check::stage::words;
use crate::check::{Code, Finding};

pub(super) fn look(seen: Seen<'_>) -> Vec<Finding> {
    let mut findings = vec![];
    for statement in &seen.taken.bounds {
        let message = "begins or ends a transaction; it was not passed on";
        findings.push(seen.finding(Code::TransactionEnded, message).by(statement));
    }
    if let Some(question) = &seen.taken.question
        && !matches!(seen.declared.way, Way::Fill { .. })
    {
        let message = "asks about rows, whose answer differs from tenant to tenant";
        findings.push(seen.finding(Code::DependsOnRows, message).by(question));
    }
    if seen.taken.sessions > 0 {
        let message = format!(
            "{} of its own began in the database while it ran",
            match seen.taken.sessions {
                1 => "a session".to_owned(),
                count => format!("{count} sessions"),
            }
        );
        findings.push(seen.finding(Code::OwnConnection, message));
    }
    findings.extend(settings(seen));
    findings.extend(outside(seen));
    findings.extend(stars(seen));
    findings.extend(plain_index(seen));
    findings
}

/// Settings that hold for what comes after: limits, and whose schema and role it is.
fn settings(seen: Seen<'_>) -> Vec<Finding> {
    let mut findings: BTreeMap<Code, Finding> = BTreeMap::new();
    for step in seen.steps() {
        for (name, was) in &step.before.settings {
            let is = step.after.settings.get(name);
            if is == Some(was) {
                continue;
            }
            let code = match name.as_str() {
                "lock_timeout" | "statement_timeout" => Code::LockTimeoutLifted,
                _ => Code::SessionChanged,
            };
            // A stricter limit harms nobody.
            if code == Code::LockTimeoutLifted && is_stricter(is, was) {
                continue;
            }
            let is = is.map_or("nothing", String::as_str);
            let message = format!("sets {name} from {was} to {is}");
            let finding = seen.finding(code, message).by(step.statement);
            findings.entry(code).or_insert(finding);
        }
    }
    findings.into_values().collect()
}

fn is_stricter(is: Option<&String>, was: &str) -> bool {
    let limit = |text: &str| {
        let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
        let unit = match &text[digits.len()..] {
            "s" => 1_000,
            "min" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => 1,
        };
        // Zero is no limit at all.
        match digits.parse::<u64>() {
            Ok(0) | Err(_) => u64::MAX,
            Ok(number) => number * unit,
        }
    };
    is.is_some_and(|is| limit(is) <= limit(was))
}

/// What is made where no tenant is, by the catalogues, and what only the cluster knows, by words.
fn outside(seen: Seen<'_>) -> Vec<Finding> {
    let mut findings = vec![];
    for step in seen.steps() {
        for object in step.after.outside.difference(&step.before.outside) {
            let message = format!("makes or changes {object}");
            let finding = seen.finding(Code::OutsideSchema, message);
            findings.push(finding.at(object).by(step.statement));
        }
        if let Some(object) = of_the_cluster(step.statement) {
            let message = format!("makes or changes a {object}, which all databases share");
            let finding = seen.finding(Code::OutsideSchema, message);
            findings.push(finding.by(step.statement));
        }
    }
    // Referring to a table of another schema writes in that table's own row, too.
    let refers = !seen.after().references.is_subset(&seen.before().references);
    if refers {
        findings.retain(|one| !one.message.contains("relation "));
    }
    findings
}

fn of_the_cluster(statement: &str) -> Option<&'static str> {
    let words = words(statement);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["create" | "alter" | "drop", "role" | "user" | "group", ..] => Some("role"),
        ["create" | "alter" | "drop", "database", ..] => Some("database"),
        ["create" | "alter" | "drop", "tablespace", ..] => Some("tablespace"),
        ["alter", "system", ..] => Some("setting of the server"),
        _ => None,
    }
}

/// A view keeps no star: Postgres writes down the columns of that moment.
fn stars(seen: Seen<'_>) -> Vec<Finding> {
    let mut findings = vec![];
    for step in seen.steps() {
        let words = words(step.statement);
        let is_view = words.first().is_some_and(|word| word == "create")
            && words.iter().take(6).any(|word| word == "view");
        let is_star = |pair: &[String]| {
            pair[1] == "*" && ["select", "distinct", ".", ","].contains(&pair[0].as_str())
        };
        if is_view && words.windows(2).any(is_star) {
            let place = words.iter().position(|word| word == "view").unwrap_or(0);
            let name = words.get(place + 1).map(|name| name.trim_matches('"'));
            let finding = seen.finding(Code::ViewSelectStar, "makes a view that selects *");
            findings.push(finding.at(name.unwrap_or("?")).by(step.statement));
        }
    }
    findings
}

/// An index that is declared to be built beside traffic, and is not.
fn plain_index(seen: Seen<'_>) -> Option<Finding> {
    let Way::Index { name, statement } = &seen.declared.way else {
        return None;
    };
    let is_beside = words(statement).iter().any(|word| word == "concurrently");
    (!is_beside).then(|| {
        let message = "is declared to be built beside traffic, without CONCURRENTLY";
        let finding = seen.finding(Code::IndexUnderLock, message);
        finding.at(name).by(statement)
    })
}
