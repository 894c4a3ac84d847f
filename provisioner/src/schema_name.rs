//! The name of a tenant's schema and of the role that goes with it.

use std::fmt;

/// `t_` and 16 lower-case hex digits: safe to write into SQL without quotes, chosen once, never
/// derived from the slug.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SchemaName(String);

/// A text that is no tenant's schema name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no schema name of ours: expected \"t_\" and 16 hex digits in lower case")]
pub struct SchemaNameError(String);

impl SchemaName {
    /// Reads a name from the directory.
    ///
    /// # Errors
    ///
    /// [`SchemaNameError`] for anything that [`SchemaName::generate`] could not have made.
    pub fn parse(text: &str) -> Result<Self, SchemaNameError> {
        match text.strip_prefix("t_") {
            Some(id) if is_opaque_id(id) => Ok(Self(text.to_owned())),
            _ => Err(SchemaNameError(text.to_owned())),
        }
    }

    /// A new name from the operating system's randomness; 64 bits of it, so that names of many
    /// databases can share one cluster's roles.
    ///
    /// # Errors
    ///
    /// When the operating system has no randomness to give.
    pub fn generate() -> Result<Self, getrandom::Error> {
        Ok(Self(format!("t_{}", opaque_id()?)))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// 16 random hex digits.
pub(crate) fn opaque_id() -> Result<String, getrandom::Error> {
    Ok(format!("{:016x}", getrandom::u64()?))
}

/// Whether `text` is what [`opaque_id`] makes.
pub(crate) fn is_opaque_id(text: &str) -> bool {
    text.len() == 16 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

impl fmt::Display for SchemaName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for SchemaName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_we_make_we_can_read() {
        let name = SchemaName::generate().unwrap();

        assert_eq!(SchemaName::parse(name.as_str()), Ok(name));
    }

    #[test]
    fn nothing_else_is_a_schema_name() {
        for text in [
            "",
            "public",
            "t_",
            "t_0123456789ABCDEF",
            "t_0123456789abcde",
            "t_0123456789abcdef0",
            "t_0123456789abcde;",
            "\"; drop schema",
        ] {
            assert!(SchemaName::parse(text).is_err(), "{text}");
        }
    }
}
