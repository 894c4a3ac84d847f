//! The name of a role that a program logs in as.

use std::fmt;
use std::str::FromStr;

use crate::schema_name::{is_opaque_id, opaque_id};

/// A login role: lower-case letters, digits and `_`, safe to write into SQL without quotes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RoleName(String);

/// A text that cannot be the name of a login role of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} cannot be a login role: use a letter and up to 62 letters, digits and underscores in \
     lower case; names that begin with \"pg_\" or \"t_\" are taken"
)]
pub struct RoleNameError(String);

impl RoleName {
    /// Reads a role's name.
    ///
    /// # Errors
    ///
    /// [`RoleNameError`] for names that would need quotes, and for those of Postgres and tenants.
    pub fn parse(text: &str) -> Result<Self, RoleNameError> {
        let fits = text.len() <= 63
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_'))
            && !text.starts_with("pg_")
            && !text.starts_with("t_")
            // The only words of this alphabet that cannot name a role, quoted or not.
            && !matches!(text, "public" | "none" | "user" | "current_user" | "session_user")
            && !matches!(text, "current_role" | "all" | "group");
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(RoleNameError(text.to_owned()))
        }
    }

    /// A new name for a lane. Roles belong to the cluster, so the name has to be unique among all
    /// databases of it, clones of this one included.
    ///
    /// # Errors
    ///
    /// When the operating system has no randomness to give.
    pub fn generate_for_lane() -> Result<Self, getrandom::Error> {
        Ok(Self(format!("lane_{}", opaque_id()?)))
    }

    /// Reads the login role of a lane from the directory.
    ///
    /// # Errors
    ///
    /// [`RoleNameError`] for anything that [`RoleName::generate_for_lane`] could not have made.
    pub fn parse_lane(text: &str) -> Result<Self, RoleNameError> {
        match text.strip_prefix("lane_") {
            Some(id) if is_opaque_id(id) => Ok(Self(text.to_owned())),
            _ => Err(RoleNameError(text.to_owned())),
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for RoleName {
    type Err = RoleNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_name_is_a_role() {
        assert_eq!(
            RoleName::parse("tubex_server").unwrap().as_str(),
            "tubex_server"
        );
    }

    #[test]
    fn names_that_need_quotes_or_belong_to_others_are_refused() {
        for text in [
            "",
            "Server",
            "a-b",
            "1a",
            "pg_monitor",
            "t_0123456789abcdef",
            "public",
        ] {
            assert!(RoleName::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_lane_is_opaque() {
        let name = RoleName::generate_for_lane().unwrap();

        assert_eq!(RoleName::parse_lane(name.as_str()), Ok(name));
        assert!(RoleName::parse_lane("lane_one").is_err());
    }
}
