//! The name people type for a tenant: the first label of its host name.

use std::fmt;
use std::str::FromStr;

use crate::SchemaName;
use crate::schema_name::is_opaque_id;

/// A tenant's slug: 2 to 40 lower-case ASCII letters, digits and single inner hyphens, not only
/// digits, not one of the names that we keep for ourselves.
///
/// Upper case is refused, not folded: `C2` and `c2` are one host name, and whoever types the
/// first should learn at once that they get the second.
///
/// ```
/// use provisioner::Slug;
/// assert_eq!(Slug::parse("acme-tools").unwrap().as_str(), "acme-tools");
/// assert!(Slug::parse("www").is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slug(String);

/// Why a text is no slug, and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SlugError {
    /// Shorter than [`Slug::MIN_LEN`].
    #[error("a slug has at least {} characters", Slug::MIN_LEN)]
    TooShort,
    /// Longer than [`Slug::MAX_LEN`].
    #[error("a slug has at most {max} characters, and this has {0}", max = Slug::MAX_LEN)]
    TooLong(usize),
    /// Holds upper-case letters.
    #[error("a slug is written in lower case: use {0:?}")]
    UpperCase(String),
    /// Holds something that is neither a letter a-z, a digit nor a hyphen.
    #[error("{0:?} cannot stand in a slug: use letters a-z, digits and hyphens only")]
    Character(char),
    /// Begins or ends with a hyphen, or has two in a row.
    #[error("a slug has single hyphens between letters or digits only, as in \"acme-tools\"")]
    Hyphen,
    /// Nothing but digits and hyphens.
    #[error("a slug needs at least one letter, as in \"shop-24\"")]
    NoLetter,
    /// One of ours.
    #[error("{0:?} is reserved: choose another name, such as \"{0}-shop\"")]
    Reserved(String),
}

impl Slug {
    /// The shortest slug, in characters.
    pub const MIN_LEN: usize = 2;
    /// The longest slug, in characters.
    pub const MAX_LEN: usize = 40;

    /// Reads a slug.
    ///
    /// # Errors
    ///
    /// [`SlugError`], each variant with a hint for the person who typed it.
    pub fn parse(text: &str) -> Result<Self, SlugError> {
        let length = text.chars().count();
        if length < Self::MIN_LEN {
            return Err(SlugError::TooShort);
        }
        if length > Self::MAX_LEN {
            return Err(SlugError::TooLong(length));
        }
        if let Some(wrong) = text
            .chars()
            .find(|c| !c.is_ascii_alphanumeric() && *c != '-')
        {
            return Err(SlugError::Character(wrong));
        }
        if text.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err(SlugError::UpperCase(text.to_ascii_lowercase()));
        }
        // `xn--` falls here too: a look-alike written in punycode is no slug.
        if text.starts_with('-') || text.ends_with('-') || text.contains("--") {
            return Err(SlugError::Hyphen);
        }
        if !text.bytes().any(|b| b.is_ascii_lowercase()) {
            return Err(SlugError::NoLetter);
        }
        if is_reserved(text) {
            return Err(SlugError::Reserved(text.to_owned()));
        }
        Ok(Self(text.to_owned()))
    }

    /// The slug as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether a host label is kept for the platform itself, or is that of a spare.
///
/// Public because the server refuses the same names as hosts without looking them up.
pub fn is_reserved(label: &str) -> bool {
    let is_spare = label.strip_prefix(SPARE).is_some_and(is_opaque_id);
    is_spare || RESERVED.binary_search(&label).is_ok()
}

/// What a spare's entry bears where a tenant's has its slug: nobody can be called that.
pub(crate) fn of_spare(schema: &SchemaName) -> String {
    schema.as_str().replacen("t_", SPARE, 1)
}

/// 16 hex digits follow, those of the spare's schema.
const SPARE: &str = "spare-";

/// Sorted, because it is searched by halves. `test` and `demo` are free on purpose: they are
/// names that people rightly want, and nothing of ours answers there.
const RESERVED: &[&str] = &[
    "abuse",
    "account",
    "accounts",
    "admin",
    "administrator",
    "api",
    "app",
    "apps",
    "assets",
    "auth",
    "autoconfig",
    "autodiscover",
    "billing",
    "blog",
    "broadcasthost",
    "cdn",
    "console",
    "dashboard",
    "db",
    "dev",
    "dns",
    "docs",
    "download",
    "downloads",
    "email",
    "events",
    "files",
    "ftp",
    "git",
    "grafana",
    "graphql",
    "health",
    "help",
    "hostmaster",
    "id",
    "imap",
    "img",
    "internal",
    "isatap",
    "localdomain",
    "localhost",
    "login",
    "logout",
    "mail",
    "media",
    "metrics",
    "mta-sts",
    "mx",
    "news",
    "ns",
    "ns1",
    "ns2",
    "ns3",
    "ns4",
    "oauth",
    "operator",
    "ops",
    "platform",
    "pop",
    "pop3",
    "postmaster",
    "preview",
    "prod",
    "production",
    "public",
    "redis",
    "register",
    "root",
    "security",
    "sftp",
    "shared",
    "signin",
    "signup",
    "smtp",
    "ssh",
    "ssl",
    "sso",
    "staging",
    "static",
    "stats",
    "status",
    "support",
    "system",
    "tenant",
    "tenants",
    "tubex",
    "upload",
    "uploads",
    "vpn",
    "webhook",
    "webhooks",
    "webmail",
    "webmaster",
    "wiki",
    "wpad",
    "ws",
    "www",
    "www1",
    "www2",
];

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for Slug {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl FromStr for Slug {
    type Err = SlugError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_sql_are_fine_slugs() {
        for word in [
            "select",
            "null",
            "c2",
            "a1",
            "acme-tools",
            "shop-24",
            "drop",
        ] {
            assert_eq!(Slug::parse(word).unwrap().as_str(), word);
        }
    }

    #[test]
    fn upper_case_is_refused_with_the_lower_case_form() {
        assert_eq!(Slug::parse("C2"), Err(SlugError::UpperCase("c2".into())));
    }

    #[test]
    fn length_is_counted_in_characters() {
        assert!(Slug::parse(&"a".repeat(40)).is_ok());
        assert_eq!(Slug::parse(&"a".repeat(64)), Err(SlugError::TooLong(64)));
        assert_eq!(Slug::parse("a"), Err(SlugError::TooShort));
        assert_eq!(Slug::parse(""), Err(SlugError::TooShort));
    }

    #[test]
    fn what_cannot_stand_in_a_host_name_is_refused() {
        assert_eq!(
            Slug::parse("\"; drop schema"),
            Err(SlugError::Character('"'))
        );
        assert_eq!(Slug::parse("shop🛠"), Err(SlugError::Character('🛠')));
        assert_eq!(Slug::parse("a.b"), Err(SlugError::Character('.')));
        assert_eq!(Slug::parse("a_b"), Err(SlugError::Character('_')));
        assert_eq!(Slug::parse("ab\n"), Err(SlugError::Character('\n')));
    }

    #[test]
    fn look_alikes_are_refused_in_both_spellings() {
        // The second letter is CYRILLIC SMALL LETTER ES.
        assert_eq!(
            Slug::parse("a\u{441}me"),
            Err(SlugError::Character('\u{441}'))
        );
        assert_eq!(Slug::parse("xn--ame-5cd"), Err(SlugError::Hyphen));
    }

    #[test]
    fn hyphens_stand_alone_and_inside() {
        for text in ["-acme", "acme-", "ac--me", "--"] {
            assert_eq!(Slug::parse(text), Err(SlugError::Hyphen), "{text}");
        }
    }

    #[test]
    fn digits_alone_are_no_name() {
        assert_eq!(Slug::parse("2024"), Err(SlugError::NoLetter));
        assert_eq!(Slug::parse("20-24"), Err(SlugError::NoLetter));
    }

    #[test]
    fn nobody_is_called_like_a_spare() {
        let schema = SchemaName::parse("t_0123456789abcdef").unwrap();
        let spare = of_spare(&schema);

        assert_eq!(spare, "spare-0123456789abcdef");
        assert_eq!(Slug::parse(&spare), Err(SlugError::Reserved(spare)));
        assert!(Slug::parse("spare-parts").is_ok());
    }

    #[test]
    fn our_own_names_are_reserved() {
        assert!(RESERVED.is_sorted());
        for word in [
            "www",
            "admin",
            "api",
            "platform",
            "mail",
            "tubex",
            "localhost",
        ] {
            assert_eq!(Slug::parse(word), Err(SlugError::Reserved(word.into())));
        }
    }
}
