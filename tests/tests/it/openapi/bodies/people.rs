//! Bodies of the operations on people and their accounts.

use serde_json::{Value, json};
use uuid::Uuid;

pub(super) fn body_of(operation_id: &str) -> Option<Value> {
    Some(match operation_id {
        "change_member" => json!({"name": "Somebody Else"}),
        "create_invitation" => {
            // Each walk invites somebody else: an invitation to the same address stands already.
            let email = format!("{}@invited.example", Uuid::new_v4().simple());
            json!({"email": email, "role": "viewer"})
        }
        "accept_invitation" => {
            json!({"token": "not this one", "password": "seldom gravel heron 4"})
        }
        "forgot_password" => json!({"email": "nobody@acme.example"}),
        "reset_password" => json!({"token": "not this one", "password": "seldom gravel heron 4"}),
        "verify_email" | "confirm_email" => json!({"token": "not this one"}),
        "change_password" => json!({"current": "not this one", "new": "seldom gravel heron 4"}),
        "change_email" => json!({"email": "new@acme.example", "password": "not this one"}),
        "switch_dealer" => json!({"tenant_id": Uuid::nil()}),
        "redeem_switch" => json!({"ticket": "not this one"}),
        "replace_my_notification_preferences" => json!({
            "language": "et",
            "choices": [{"kind": "export.ready", "in_app": true, "mail": "digest"}],
        }),
        _ => return None,
    })
}
