//! Texts in files that spreadsheets open: none of them is to be run as a formula.
//!
//! What would be one gets an apostrophe before it, which is how people write it themselves, and
//! whoever reads our files takes exactly that away again.

use std::borrow::Cow;

/// What a spreadsheet takes for the beginning of a formula, some of them only in some programs.
const BEGINNINGS: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// The text as it may stand in a file. A text that looks as if it had been guarded is guarded once
/// more, so that it comes back as it was.
pub fn guarded(text: &str) -> Cow<'_, str> {
    if text.trim_start_matches('\'').starts_with(BEGINNINGS) {
        return format!("'{text}").into();
    }
    text.into()
}

/// The text as it was before it was guarded.
pub fn unguarded(text: &str) -> &str {
    match text.strip_prefix('\'') {
        Some(rest) if rest.trim_start_matches('\'').starts_with(BEGINNINGS) => rest,
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_comes_back_and_none_is_a_formula() {
        for text in [
            "", "a", "=1", "+1", "-1", "@a", "\ta", "\ra", "'", "'a", "'=1", "''-x", "a=b",
            "'t Hof",
        ] {
            let guarded = guarded(text);
            assert!(!guarded.starts_with(BEGINNINGS), "{text:?}");
            assert_eq!(unguarded(&guarded), text, "{text:?}");
        }
        assert_eq!(guarded("'t Hof"), "'t Hof");
    }
}
