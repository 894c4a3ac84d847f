//! Bodies of the operations about exports.

use serde_json::{Value, json};

pub(super) fn body_of(operation_id: &str) -> Option<Value> {
    match operation_id {
        "create_export" => Some(json!({"kind": "items", "format": "csv"})),
        _ => None,
    }
}
