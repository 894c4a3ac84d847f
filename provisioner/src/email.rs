//! Mail addresses, as far as they can be judged without sending a mail.

use std::fmt;
use std::str::FromStr;

/// An address as it is kept and compared. People sign in with it however they type it.
///
/// One address has one spelling, so that nobody gets a second account, or somebody else's message,
/// by writing it another way:
///
/// * the local part is the dot-atom of RFC 5321, ASCII only. Letters of other scripts are refused
///   rather than normalised: no list of look-alikes is ever complete, and hardly a mailbox has them;
/// * the domain may be written in any script, and is kept in its ASCII form (IDNA), where two names
///   that look alike are two texts;
/// * both are folded to lower case.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Email(String);

/// A text that can't be a mail address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a mail address looks like name@example.com")]
pub struct EmailError;

impl Email {
    /// The longest address, in bytes (RFC 5321).
    pub const MAX_LEN: usize = 254;
    /// The longest local part, in bytes (RFC 5321).
    const MAX_LOCAL_LEN: usize = 64;

    /// Takes a look at its shape; the only proof is a mail that arrives.
    ///
    /// # Errors
    ///
    /// [`EmailError`].
    pub fn parse(text: &str) -> Result<Self, EmailError> {
        let (local, domain) = text.trim().rsplit_once('@').ok_or(EmailError)?;
        let is_dot_atom = local.len() <= Self::MAX_LOCAL_LEN
            && local
                .split('.')
                .all(|atom| !atom.is_empty() && atom.bytes().all(is_atext));
        let domain = idna::domain_to_ascii_strict(domain).map_err(|_| EmailError)?;
        let is_name = domain
            .split('.')
            .all(|label| !label.is_empty() && label.bytes().all(is_letter_digit_hyphen));
        let is_number = |label: &str| label.bytes().all(|b| b.is_ascii_digit());
        let is_address = domain.rsplit('.').next().is_none_or(is_number);
        let folded = format!("{}@{domain}", local.to_ascii_lowercase());
        if is_dot_atom && is_name && !is_address && folded.len() <= Self::MAX_LEN {
            Ok(Self(folded))
        } else {
            Err(EmailError)
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

/// What an atom is made of (RFC 5322).
fn is_atext(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte)
}

fn is_letter_digit_hyphen(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_has_one_spelling() {
        let parsed = |text| Email::parse(text).map(|email| email.0);

        let bucher = Ok("a@xn--bcher-kva.example".to_owned());
        assert_eq!(parsed("a@Bücher.example"), bucher);
        assert_eq!(parsed("a@bu\u{308}cher.example"), bucher);
        assert_eq!(parsed("a@ｅxample.com"), Ok("a@example.com".to_owned()));
        assert_eq!(
            parsed("a.b+c@example.com"),
            Ok("a.b+c@example.com".to_owned())
        );
    }

    #[test]
    fn letters_that_only_look_like_others_and_signs_that_nobody_sees_are_refused() {
        for text in [
            "аdmin@example.com",         // Cyrillic а
            "ad\u{200b}min@example.com", // zero-width space
            "\u{202e}nimda@example.com", // right-to-left override
            "ａdmin@example.com",        // full-width a
            "admın@example.com",         // dotless i
            "a@exa\u{0}mple.com",
            "a@127.0.0.1",
            "a@[127.0.0.1]",
            "a..b@example.com",
            ".a@example.com",
            "\"a b\"@example.com",
            "a@exam_ple.com",
            "a@example..com",
            "a@b@example.com",
            "a@example.com\r\nBcc: b@example.com",
        ] {
            assert_eq!(Email::parse(text), Err(EmailError), "{text:?}");
        }
        // Where it is the domain's, it is another domain.
        let look_alike = Email::parse("a@exаmple.com").unwrap();
        assert!(
            look_alike.as_str().starts_with("a@xn--"),
            "{}",
            look_alike.0
        );
    }

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
