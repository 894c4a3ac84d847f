//! Names of people, as they may be.

use validator::ValidationError;

/// Longest name, in characters.
const LONGEST: usize = 120;

/// 1 to 120 characters on one line, and not only blanks.
pub(super) fn person_name(name: &str) -> Result<(), ValidationError> {
    let is_plain = !name.contains(char::is_control);
    let length = name.trim().chars().count();
    if is_plain && (1..=LONGEST).contains(&length) {
        return Ok(());
    }
    Err(ValidationError::new("name")
        .with_message("it must be 1 to 120 characters on one line".into()))
}
