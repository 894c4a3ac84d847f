//! The short names that operators give to plans and nodes.

use std::fmt;
use std::str::FromStr;

/// 1 to 40 lower-case letters, digits, hyphens and underscores; begins with a letter or a digit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label(String);

/// A text that names no plan and no node.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no name: use 1 to 40 letters a-z, digits, hyphens and underscores, beginning with a \
     letter or a digit"
)]
pub struct LabelError(String);

impl Label {
    /// Reads a name.
    ///
    /// # Errors
    ///
    /// [`LabelError`] for anything else than [`Label`] describes.
    pub fn parse(text: &str) -> Result<Self, LabelError> {
        let fits = (1..=40).contains(&text.len())
            && text
                .bytes()
                .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'))
            && !text.starts_with(['-', '_']);
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(LabelError(text.to_owned()))
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Label {
    type Err = LabelError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_short_and_plain() {
        for text in ["main", "n2", "big-dealers_2026", "7"] {
            assert_eq!(Label::parse(text).unwrap().as_str(), text);
        }
        for text in ["", "Main", "-a", "_a", "a b", "ä", &"a".repeat(41)] {
            assert!(Label::parse(text).is_err(), "{text}");
        }
    }
}
