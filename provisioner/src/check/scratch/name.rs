//! The name of a check's database.

use uuid::Uuid;

/// What databases of checks are called; a UUIDv7 follows, which tells when it was made.
const PREFIX: &str = "tubex_check_";

/// The name of a check's database: safe to write into SQL without quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScratchName(String);

impl ScratchName {
    /// A new one.
    pub fn generate() -> Self {
        Self(format!("{PREFIX}{}", Uuid::now_v7().simple()))
    }

    /// Reads one; nothing for what [`ScratchName::generate`] could not have made.
    pub fn parse(text: &str) -> Option<Self> {
        let id = text.strip_prefix(PREFIX)?;
        let id = Uuid::try_parse(id)
            .ok()
            .filter(|read| read.simple().to_string() == id)?;
        (id.get_version_num() == 7).then(|| Self(text.to_owned()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// When it was made, in seconds since 1970.
    pub(super) fn made_at(&self) -> Option<i64> {
        let id = Uuid::try_parse(self.0.strip_prefix(PREFIX)?).ok()?;
        i64::try_from(id.get_timestamp()?.to_unix().0).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_we_make_we_can_read_and_nothing_else() {
        let name = ScratchName::generate();

        assert_eq!(ScratchName::parse(name.as_str()), Some(name.clone()));
        assert!(name.made_at().is_some());
        for text in ["tubex_check_", "tubex_check_1; DROP", "postgres"] {
            assert_eq!(ScratchName::parse(text), None, "{text}");
        }
    }
}
