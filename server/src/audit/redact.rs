//! Keeps secrets out of the trail, whatever a caller hands over.

use serde_json::Value;

/// A field whose name holds one of these is not told.
const SECRET: &[&str] = &[
    "password",
    "secret",
    "token",
    "hash",
    "recovery_code",
    "otpauth",
];
/// Names that hold one of them and are none.
const HARMLESS: &[&str] = &["token_version", "password_changed_at"];

/// The same without values whose names say that they are secret.
pub(super) fn redacted(value: Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(
            fields
                .into_iter()
                .map(|(name, value)| {
                    let value = if is_secret(&name) && !value.is_null() {
                        Value::from("[redacted]")
                    } else {
                        redacted(value)
                    };
                    (name, value)
                })
                .collect(),
        ),
        Value::Array(values) => Value::Array(values.into_iter().map(redacted).collect()),
        plain => plain,
    }
}

fn is_secret(name: &str) -> bool {
    SECRET.iter().any(|word| name.contains(word)) && !HARMLESS.contains(&name)
}
