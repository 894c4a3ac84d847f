//! Mail addresses, as far as they can be judged without sending a mail.

use std::fmt;
use std::str::FromStr;

/// An address with two sides, folded to lower case: people sign in with it however they type it.
#[derive(Clone, PartialEq, Eq)]
pub struct Email(String);

/// A text that can't be a mail address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a mail address looks like name@example.com")]
pub struct EmailError;

impl Email {
    /// The longest address, in bytes (RFC 5321).
    pub const MAX_LEN: usize = 254;

    /// Takes a coarse look; the only proof is a mail that arrives.
    ///
    /// # Errors
    ///
    /// [`EmailError`].
    pub fn parse(text: &str) -> Result<Self, EmailError> {
        let text = text.trim();
        let is_plain = !text.contains(|c: char| c.is_whitespace() || c.is_control());
        match text.rsplit_once('@') {
            Some((local, domain))
                if is_plain
                    && text.len() <= Self::MAX_LEN
                    && !local.is_empty()
                    && !domain.is_empty() =>
            {
                Ok(Self(text.to_lowercase()))
            }
            _ => Err(EmailError),
        }
    }

    /// The address as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Addresses are personal data, and what is debugged is logged.
impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(…)")
    }
}

impl FromStr for Email {
    type Err = EmailError;

    fn from_str(text: &str) -> Result<Self, EmailError> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_two_sides_and_is_folded() {
        assert_eq!(
            Email::parse(" A@b.Example ").unwrap().as_str(),
            "a@b.example"
        );
        for text in ["", "a", "@b", "a@", "a b@c", "a\u{7}@c"] {
            assert_eq!(Email::parse(text), Err(EmailError), "{text}");
        }
        assert!(Email::parse(&format!("{}@b", "a".repeat(253))).is_err());
    }
}
