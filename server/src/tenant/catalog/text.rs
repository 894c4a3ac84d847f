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

/// No NUL in any text of a JSON object.
pub(in crate::tenant) fn no_nul(fields: &Map<String, Value>) -> Result<(), ValidationError> {
    let is_broken = |(key, value): (&String, &Value)| key.contains('\0') || holds_nul(value);
    if fields.iter().any(is_broken) {
        return Err(ValidationError::new("control_character")
            .with_message("it must not hold the character U+0000".into()));
    }
    Ok(())
}
