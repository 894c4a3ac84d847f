//! Bodies of the operations on webhooks.

use serde_json::{Value, json};

pub(super) fn body_of(operation_id: &str) -> Option<Value> {
    Some(match operation_id {
        // In digits, so that no walk waits for a name.
        "create_webhook_endpoint" => {
            json!({"url": "https://1.1.1.1/hook", "event_types": ["item.*"]})
        }
        "change_webhook_endpoint" => json!({"description": "new"}),
        "rotate_webhook_secret" => json!({}),
        "replay_webhook_endpoint" => json!({"since": "2020-01-01T00:00:00Z"}),
        _ => return None,
    })
}
