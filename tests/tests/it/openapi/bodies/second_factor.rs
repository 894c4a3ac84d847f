//! Bodies of the operations of second factors.

use serde_json::{Value, json};

pub(super) fn body_of(operation_id: &str) -> Option<Value> {
    Some(match operation_id {
        "confirm_totp" => json!({"code": "000000"}),
        "give_second_factor" => json!({"challenge": "not this one", "code": "000000"}),
        "step_up" => json!({"password": "not this one"}),
        "change_security_settings" => json!({"second_factor_roles": []}),
        _ => return None,
    })
}
