//! SARIF 2.1.0, for code scanning: every code is a rule, every finding a result.

use std::collections::HashMap;
use std::fmt::Write as _;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::tenants;
use crate::check::{CODES, Code, Finding, Report, Severity};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// What a finding without a file is shown at: code scanning refuses results that are nowhere.
const ANYWHERE: &str = "Cargo.toml";

pub(super) fn render(report: &Report) -> String {
    let mut seen = Fingerprints::default();
    let found = report.findings.iter();
    let mut results: Vec<_> = found
        .map(|finding| result(finding, None, &mut seen))
        .collect();
    for waived in &report.waived {
        results.push(result(&waived.finding, Some(&waived.reason), &mut seen));
    }
    let notes = report
        .notes
        .iter()
        .map(|note| json!({ "level": "note", "message": { "text": note } }));
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {
                "driver": {
                    "name": "tubex check",
                    "semanticVersion": env!("CARGO_PKG_VERSION"),
                    "rules": CODES.iter().map(|code| rule(*code)).collect::<Vec<_>>(),
                },
            },
            "originalUriBaseIds": {
                "SRCROOT": { "description": { "text": "the root of the repository" } },
            },
            "invocations": [{
                "executionSuccessful": true,
                "toolExecutionNotifications": notes.collect::<Vec<_>>(),
            }],
            "results": results,
        }],
    });
    let text = serde_json::to_string_pretty(&log);
    text.expect("a report has nothing that JSON can't say") + "\n"
}

fn rule(code: Code) -> Value {
    let page = code.page();
    json!({
        "id": code.name(),
        "name": format!("{code:?}"),
        "shortDescription": { "text": code.title() },
        "fullDescription": { "text": format!("{}. The safe way: {}.", code.title(), code.remedy()) },
        "help": { "text": page, "markdown": page },
        "defaultConfiguration": { "level": level(code) },
        "properties": { "tags": ["migrations", code.part().name()], "precision": "very-high" },
    })
}

fn level(code: Code) -> &'static str {
    match code.severity() {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

fn result(finding: &Finding, waived: Option<&str>, seen: &mut Fingerprints) -> Value {
    let code = finding.code;
    let index = CODES.iter().position(|one| *one == code);
    let suppressions: Vec<_> = waived
        .map(|reason| json!({ "kind": "inSource", "status": "accepted", "justification": reason }))
        .into_iter()
        .collect();
    json!({
        "ruleId": code.name(),
        "ruleIndex": index,
        "level": level(code),
        "message": { "text": message(finding) },
        "locations": [location(finding)],
        "partialFingerprints": { "tubexFinding/v1": seen.add(finding) },
        "suppressions": suppressions,
    })
}

fn message(finding: &Finding) -> String {
    let mut text = finding.message.clone();
    if let Some(statement) = &finding.statement {
        let _ = write!(text, "\nStatement: {statement}");
    }
    if let Some(tenants) = tenants(finding) {
        let _ = write!(text, "\nTenants: {tenants}");
    }
    let _ = write!(text, "\nThe safe way: {}", finding.code.remedy());
    text
}

fn location(finding: &Finding) -> Value {
    let (path, line) = match &finding.written {
        Some((path, line)) => (path.as_str(), *line),
        None => (ANYWHERE, None),
    };
    let mut physical = json!({
        "artifactLocation": { "uri": uri(path), "uriBaseId": "SRCROOT" },
    });
    physical["region"] = json!({ "startLine": line.unwrap_or(1).max(1) });
    let mut location = json!({ "physicalLocation": physical });
    let mut logical = Vec::new();
    if let Some(migration) = &finding.migration {
        logical.push(json!({ "name": migration, "kind": "module" }));
    }
    if let Some(object) = &finding.object {
        logical.push(json!({ "name": object, "kind": "resource" }));
    }
    if !logical.is_empty() {
        location["logicalLocations"] = Value::Array(logical);
    }
    location
}

/// A path as a relative reference: what may not stand in one is written in hexadecimal.
fn uri(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.trim_start_matches('/').bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' => {
                uri.push(char::from(byte));
            }
            _ => {
                let _ = write!(uri, "%{byte:02X}");
            }
        }
    }
    uri
}

/// What makes a finding the same as yesterday's. Neither lines nor messages count, which hold
/// numbers that change; where the rest is the same, they are told apart by their order.
#[derive(Default)]
struct Fingerprints(HashMap<String, u32>);

impl Fingerprints {
    fn add(&mut self, finding: &Finding) -> String {
        let facts = json!([finding.code.name(), finding.migration, finding.object]);
        let digest = Sha256::digest(facts.to_string());
        let mut print = String::new();
        for byte in digest.iter().take(16) {
            let _ = write!(print, "{byte:02x}");
        }
        let nth = self.0.entry(print.clone()).or_default();
        *nth += 1;
        format!("{print}:{nth}")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::super::sample;
    use super::*;

    fn run(report: &Report) -> Value {
        let log: Value = serde_json::from_str(&render(report)).unwrap();
        log["runs"][0].clone()
    }

    #[test]
    fn every_result_points_to_its_rule() {
        let run = run(&sample::report());

        let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
        let results = run["results"].as_array().unwrap();
        assert_eq!((rules.len(), results.len()), (CODES.len(), 7));
        for result in results {
            let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            assert_eq!(rules[index]["id"], result["ruleId"]);
        }
    }

    #[test]
    fn a_waived_one_is_suppressed_with_its_reason_and_no_other() {
        let run = run(&sample::report());

        let results = run["results"].as_array().unwrap();
        let suppressed: Vec<_> = results
            .iter()
            .filter(|result| result["suppressions"] != json!([]))
            .collect();
        assert_eq!(suppressed.len(), 1);
        assert_eq!(suppressed[0]["ruleId"], "index-dropped");
        let reason = suppressed[0]["suppressions"][0]["justification"].as_str();
        assert!(reason.unwrap().starts_with("nobody reads by it"));
    }

    #[test]
    fn fingerprints_tell_findings_apart_and_outlive_numbers_and_lines() {
        let before = sample::report();
        let mut after = before.clone();
        for finding in &mut after.findings {
            finding.message = "held 51 rows".to_owned();
            finding.written = None;
        }

        let prints = |report: &Report| -> Vec<String> {
            let results = run(report)["results"].as_array().unwrap().clone();
            let print = |one: &Value| one["partialFingerprints"]["tubexFinding/v1"].clone();
            results
                .iter()
                .map(|one| print(one).as_str().unwrap().to_owned())
                .collect()
        };
        assert_eq!(prints(&before), prints(&after));
        let distinct: HashSet<_> = prints(&before).into_iter().collect();
        assert_eq!(distinct.len(), 7);
    }

    #[test]
    fn paths_are_relative_references() {
        assert_eq!(uri("/a b/ü%.rs"), "a%20b/%C3%BC%25.rs");
        let run = run(&sample::report());
        let place = &run["results"][1]["locations"][0]["physicalLocation"];
        assert_eq!(
            place["artifactLocation"]["uri"],
            "migration/src/w0010_colour_idx.rs"
        );
        assert_eq!(place["region"]["startLine"], 12);
    }
}
