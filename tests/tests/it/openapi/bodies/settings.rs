//! Bodies of the settings' operations.

use serde_json::{Value, json};

pub(super) fn body_of(operation_id: &str) -> Option<Value> {
    Some(match operation_id {
        "replace_cors_origins" => json!({"origins": ["https://shop.example"]}),
        "replace_correspondence" => json!({"language": "de", "brand_color": "#0a5c36"}),
        _ => return None,
    })
}
