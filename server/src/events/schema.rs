//! What the data of each kind of event looks like, as JSON Schema (2020-12).

use serde_json::{Value, json};

use super::catalogue::EventKind;

/// Kinds that tell of no action on record, each with its schema.
const OTHERS: &[(&str, &str)] = &[
    ("import.progress", IMPORT_PROGRESS),
    ("import.ready", IMPORT_AT_REST),
    ("import.failed", IMPORT_AT_REST),
    ("import.cancelled", IMPORT_AT_REST),
    ("import.undone", IMPORT_AT_REST),
    ("export.failed", EXPORT_FAILED),
    ("job.dead", JOB_DEAD),
    ("notification.created", NOTIFICATION),
    ("webhook.test", WEBHOOK_TEST),
];

const IMPORT_PROGRESS: &str = r#"{
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["id", "status", "rows", "total"],
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "status": {"type": "string"},
        "rows": {"type": "integer", "description": "Rows that are done in this phase."},
        "total": {"type": ["integer", "null"], "description": "Rows of the file."}
    }
}"#;
const IMPORT_AT_REST: &str = r#"{
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["id", "status", "counts", "undone"],
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "status": {"type": "string"},
        "counts": {"type": "object", "description": "Rows and items, in numbers."},
        "undone": {"type": "object", "description": "What taking it back came to, in items."}
    }
}"#;
const EXPORT_FAILED: &str = r#"{
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["id"],
    "properties": {
        "id": {"type": "string", "format": "uuid", "description": "The export."}
    }
}"#;
const JOB_DEAD: &str = r#"{
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["id", "kind", "attempts"],
    "properties": {
        "id": {"type": "string", "format": "uuid", "description": "The job."},
        "kind": {"type": "string", "description": "Such as import.read."},
        "attempts": {"type": "integer", "description": "How often it was tried."}
    }
}"#;
const NOTIFICATION: &str = r#"{
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["id", "kind"],
    "properties": {
        "id": {"type": "string", "description": "The notification."},
        "kind": {"type": "string", "description": "Such as import.applied."}
    }
}"#;
const WEBHOOK_TEST: &str = r#"{
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["endpoint_id"],
    "properties": {
        "endpoint_id": {"type": "string", "format": "uuid", "description": "Which one is tried."}
    }
}"#;

impl EventKind {
    /// The schema of its data. What tells of a change says which thing it was and which of its
    /// fields are different, and nothing of their values: whoever may see those asks for them.
    ///
    /// # Panics
    ///
    /// Never: a test reads all of them.
    pub fn schema(&self) -> Option<Value> {
        if self.action.is_some() {
            return Some(of_a_change());
        }
        let (_, text) = OTHERS.iter().find(|(name, _)| *name == self.name)?;
        Some(serde_json::from_str(text).expect("a schema is JSON"))
    }
}

fn of_a_change() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "required": ["id", "changed"],
        "properties": {
            "id": {
                "type": ["string", "null"],
                "description": "The thing that was changed; null when it was all of a sort.",
            },
            "changed": {
                "type": "array",
                "items": {"type": "string"},
                "description": "Names of the fields that are different.",
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::catalogue::CATALOGUE;

    #[test]
    fn each_kind_has_one_name_and_a_schema() {
        let names: BTreeSet<_> = CATALOGUE.iter().map(|kind| kind.name).collect();
        assert_eq!(names.len(), CATALOGUE.len());
        for kind in CATALOGUE {
            let schema = kind.schema();
            let schema = schema.unwrap_or_else(|| panic!("{}: what does it say?", kind.name));
            assert_eq!(schema["type"], "object", "{}", kind.name);
        }
    }
}
