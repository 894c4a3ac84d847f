//! Bodies of the operations of signing in.

use serde_json::{Value, json};

pub(super) fn body_of(operation_id: &str) -> Option<Value> {
    Some(match operation_id {
        "sign_in" => json!({"email": "nobody@acme.example", "password": "not this one"}),
        "refresh" => json!({"refresh_token": "not this one"}),
        "void_all_tokens" => json!({"confirm": "another-dealer"}),
        _ => return None,
    })
}
