//! The name of a domain that a tenant brings along.

use std::fmt;
use std::str::FromStr;

/// A domain name as it is kept and compared: lower-case ASCII (international names in their `xn--`
/// form), no port, no final dot, at least two labels, no address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DomainName(String);

/// A text that can't be a tenant's domain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no domain: write a full name such as shop.acme.example, without scheme, port or path"
)]
pub struct DomainNameError(String);

impl DomainName {
    /// Reads a domain the way browsers do.
    ///
    /// # Errors
    ///
    /// [`DomainNameError`] for addresses, single words, and whatever can't stand in a host name.
    pub fn parse(text: &str) -> Result<Self, DomainNameError> {
        let refused = || DomainNameError(text.to_owned());
        let name = text.trim().trim_end_matches('.');
        let name = idna::domain_to_ascii_strict(name).map_err(|_| refused())?;
        let is_address = name
            .rsplit('.')
            .next()
            .is_none_or(|last| last.bytes().all(|b| b.is_ascii_digit()));
        let is_plain = name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.'));
        if name.len() > 253 || !name.contains('.') || is_address || !is_plain {
            return Err(refused());
        }
        Ok(Self(name))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for DomainName {
    type Err = DomainNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_folded_as_browsers_fold_them() {
        for (text, name) in [
            ("shop.acme.example", "shop.acme.example"),
            ("Shop.ACME.example.", "shop.acme.example"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("ｓｈｏｐ.acme.example", "shop.acme.example"),
        ] {
            assert_eq!(DomainName::parse(text).unwrap().as_str(), name, "{text}");
        }
    }

    #[test]
    fn what_is_no_full_host_name_is_refused() {
        let long = format!("{}.example", "a".repeat(64));
        for text in [
            "",
            "acme",
            "127.0.0.1",
            "[::1]",
            "https://acme.example",
            "acme.example:443",
            "acme.example/x",
            "a..example",
            "-a.example",
            "a_b.example",
            "*.acme.example",
            "\"; drop schema.example",
            &long,
        ] {
            assert!(DomainName::parse(text).is_err(), "{text}");
        }
    }
}
