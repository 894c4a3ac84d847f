//! Bodies of operations on background work.

use serde_json::{Value, json};

pub(super) fn body_of(operation_id: &str) -> Option<Value> {
    Some(match operation_id {
        "retry_jobs" | "discard_jobs" => json!({"kind": "nothing.like_that"}),
        _ => return None,
    })
}
