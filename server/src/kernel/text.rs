//! What no text may hold that is to be kept.

use serde_json::Value;

/// Whether a text or a key anywhere in a JSON value holds a NUL, which Postgres can't keep.
pub fn holds_nul(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
        Value::String(text) => text.contains('\0'),
        Value::Array(values) => values.iter().any(holds_nul),
        Value::Object(fields) => fields
            .iter()
            .any(|(key, value)| key.contains('\0') || holds_nul(value)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_nul_is_found_wherever_it_is() {
        for value in [json!("\0"), json!(["a", "b\0"]), json!({"a": {"\0": 1}})] {
            assert!(holds_nul(&value), "{value}");
        }
        assert!(!holds_nul(&json!({"a": [null, true, 1, "\\u0000"]})));
    }
}
