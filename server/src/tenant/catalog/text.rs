//! Rules for texts that people type.

use serde_json::{Map, Value};
use validator::ValidationError;

use crate::kernel::holds_nul;

/// One line: something besides blanks, and no control characters.
pub(in crate::tenant) fn one_line(text: &str) -> Result<(), ValidationError> {
    if text.trim().is_empty() {
        return Err(ValidationError::new("blank").with_message("it must not be blank".into()));
    }
    no_control(text)
}

/// Any number of lines, without other control characters.
pub(in crate::tenant) fn lines(text: &str) -> Result<(), ValidationError> {
    let text: String = text
        .chars()
        .filter(|c| !matches!(c, '\n' | '\r' | '\t'))
        .collect();
    no_control(&text)
}

/// No control characters, a NUL among them.
pub(in crate::tenant) fn no_control(text: &str) -> Result<(), ValidationError> {
    if text.chars().any(char::is_control) {
        return Err(ValidationError::new("control_character")
            .with_message("it must not hold control characters".into()));
    }
    Ok(())
}

/// Nothing in a JSON object that can't be kept, or can't be read again.
pub(super) fn storable(fields: &Map<String, Value>) -> Result<(), ValidationError> {
    no_nul(fields)?;
    if fields.values().any(holds_vast_number) {
        return Err(ValidationError::new("range")
            .with_message("its numbers must be smaller than 1e300".into()));
    }
    Ok(())
}

/// The database keeps a number with all its digits, and of the last ones below the largest number
/// that programs know, their nearest neighbour is none: such a row could never be read again.
fn holds_vast_number(value: &Value) -> bool {
    match value {
        Value::Number(number) => {
            let text = number.to_string();
            let exponent = text.split_once('e').map(|(_, exponent)| exponent.parse());
            matches!(exponent, Some(Ok(300_i32..)))
        }
        Value::Array(values) => values.iter().any(holds_vast_number),
        Value::Object(fields) => fields.values().any(holds_vast_number),
        Value::Null | Value::Bool(_) | Value::String(_) => false,
    }
}

/// No NUL in any text of a JSON object.
pub(in crate::tenant) fn no_nul(fields: &Map<String, Value>) -> Result<(), ValidationError> {
    let is_broken = |(key, value): (&String, &Value)| key.contains('\0') || holds_nul(value);
    if fields.iter().any(is_broken) {
        return Err(ValidationError::new("control_character")
            .with_message("it must not hold the character U+0000".into()));
    }
    Ok(())
}
