//! What was promised by the last release is still promised, or somebody said why not.

use serde::Deserialize;
use serde_json::Value;

use super::breaking::{Break, breaks};
use super::{DOCUMENTS, committed, read};

/// `server/openapi/breaking.json`: breaks that were decided on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Waiver {
    document: String,
    operation: String,
    place: String,
    what: String,
    reason: String,
}

impl Waiver {
    fn is_of(&self, document: &str, found: &Break) -> bool {
        self.document == document
            && self.operation == found.operation
            && self.place == found.place
            && self.what == found.what
    }
}

fn waivers() -> Vec<Waiver> {
    let text = std::fs::read_to_string(committed("breaking.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn found_in(document: &str) -> Vec<Break> {
    breaks(&read(&format!("released/{document}")), &read(document))
}

#[test]
fn nothing_that_was_released_is_taken_back() {
    let waivers = waivers();

    for document in DOCUMENTS {
        let breaks = found_in(document).into_iter();
        let unforgiven: Vec<_> = breaks
            .filter(|found| !waivers.iter().any(|waiver| waiver.is_of(document, found)))
            .map(|found| found.to_string())
            .collect();

        assert!(
            unforgiven.is_empty(),
            "{document}: clients of the last release would break. Keep what they rely on, or add \
             the decision to server/openapi/breaking.json:\n{}",
            unforgiven.join("\n")
        );
    }
}

#[test]
fn every_waiver_is_needed_and_says_why() {
    let found: Vec<_> = DOCUMENTS
        .iter()
        .map(|document| (*document, found_in(document)))
        .collect();

    for waiver in waivers() {
        let is_needed = found
            .iter()
            .any(|(document, breaks)| breaks.iter().any(|found| waiver.is_of(document, found)));
        assert!(is_needed, "nothing breaks there any more: {waiver:?}");
        assert!(waiver.reason.len() > 20, "{waiver:?}");
    }
}

/// Against the whole of it: a document without its first operation is one that breaks.
#[test]
fn a_document_that_lost_an_operation_does_not_pass() {
    for document in DOCUMENTS {
        let (released, mut poorer) = (read(&format!("released/{document}")), read(document));
        let paths = poorer["paths"].as_object_mut().unwrap();
        let lost = released["paths"]
            .as_object()
            .unwrap()
            .keys()
            .next()
            .unwrap();
        paths.remove(lost).unwrap();

        let breaks = breaks(&released, &poorer);

        assert!(breaks.iter().any(|it| it.what == "the operation is gone"));
        assert_eq!(super::breaking::breaks(&released, &released), []);
    }
    assert_ne!(read("tenant"), Value::Null);
}
