//! Bodies of the operations about price files; the file itself comes in a form.

use serde_json::{Value, json};

pub(super) fn body_of(operation_id: &str) -> Option<Value> {
    Some(match operation_id {
        "create_import_profile" => json!({"name": "new", "mapping": {"delimiter": ";"}}),
        "change_import_profile" => json!({"name": "new"}),
        _ => return None,
    })
}
