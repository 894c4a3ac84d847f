//! Bodies of the operations of single sign-on.

use serde_json::{Value, json};

pub(super) fn body_of(operation_id: &str) -> Option<Value> {
    Some(match operation_id {
        "create_sso_connection" => json!({
            "name": "new", "issuer": "https://login.example", "client_id": "tubex",
            "client_secret": "not this one", "default_role": "viewer",
        }),
        "change_sso_connection" => json!({"name": "newer"}),
        "claim_sso_domain" => json!({"domain": "people.example"}),
        "discover_sso" => json!({"email": "nobody@acme.example"}),
        _ => return None,
    })
}
