//! Bodies of the operations about who may what.

use serde_json::{Value, json};

pub(super) fn body_of(operation_id: &str) -> Option<Value> {
    Some(match operation_id {
        "create_branch" | "create_team" | "change_branch" | "change_team" | "change_role"
        | "change_api_key" => json!({"name": "new"}),
        "create_role" => json!({"name": "new", "grants": [{"permission": "item.read"}]}),
        "create_api_key" => json!({"name": "new", "permissions": ["item.read"]}),
        "rotate_api_key" => json!({}),
        _ => return None,
    })
}
