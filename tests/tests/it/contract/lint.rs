//! A linter that is not ours reads the documents.

use serde_json::Value;
use tests::local::linter;

use super::{DOCUMENTS, committed};

#[test]
fn a_linter_finds_no_fault_in_the_documents() {
    let linter = linter::packages().expect("the linter; run `make test`, which fetches it");

    for name in DOCUMENTS {
        let output = linter
            .program("redocly")
            .args(["lint", "--format", "json", "--config"])
            .args([
                committed("redocly.yaml"),
                committed(&format!("{name}.json")),
            ])
            .env("REDOCLY_TELEMETRY", "off")
            .env("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true")
            .output()
            .unwrap();

        let report: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
        let found: Vec<_> = report["problems"]
            .as_array()
            .unwrap()
            .iter()
            .map(|problem| {
                let at = &problem["location"][0]["pointer"];
                format!("{at}: {} ({})", problem["message"], problem["ruleId"])
            })
            .collect();
        assert!(found.is_empty(), "{name}:\n{}", found.join("\n"));
        assert!(output.status.success(), "{output:?}");
    }
}
