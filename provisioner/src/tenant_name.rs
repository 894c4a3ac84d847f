//! The name people read for a tenant.

use std::fmt;
use std::str::FromStr;

/// A tenant's name: 1 to 120 characters on one line, without blanks around them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantName(String);

/// Why a text is no tenant's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TenantNameError {
    /// Nothing but blanks.
    #[error("a name must not be empty")]
    Empty,
    /// Longer than [`TenantName::MAX_LEN`].
    #[error("a name has at most {max} characters, and this has {0}", max = TenantName::MAX_LEN)]
    TooLong(usize),
    /// Holds a line break or another control character.
    #[error("a name stands on one line, without control characters")]
    Control,
}

impl TenantName {
    /// The longest name, in characters.
    pub const MAX_LEN: usize = 120;

    /// Reads a name; blanks around it are dropped.
    ///
    /// # Errors
    ///
    /// [`TenantNameError`].
    pub fn parse(text: &str) -> Result<Self, TenantNameError> {
        let name = text.trim();
        let length = name.chars().count();
        if length == 0 {
            return Err(TenantNameError::Empty);
        }
        if length > Self::MAX_LEN {
            return Err(TenantNameError::TooLong(length));
        }
        if name.chars().any(char::is_control) {
            return Err(TenantNameError::Control);
        }
        Ok(Self(name.to_owned()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TenantName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for TenantName {
    type Err = TenantNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_around_a_name_are_dropped() {
        assert_eq!(
            TenantName::parse("  Müller & Söhne ").unwrap().as_str(),
            "Müller & Söhne"
        );
    }

    #[test]
    fn a_name_is_one_line_of_bounded_length() {
        assert_eq!(TenantName::parse(" \t"), Err(TenantNameError::Empty));
        assert_eq!(TenantName::parse("a\nb"), Err(TenantNameError::Control));
        assert_eq!(
            TenantName::parse(&"ä".repeat(121)),
            Err(TenantNameError::TooLong(121))
        );
    }
}
