//! A field of a change request: absent, cleared or set.

use serde::de::{Error, Unexpected};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use validator::{Validate, ValidationErrors};

/// What a change says about one field. `#[serde(default)]` on the field makes absence `Keep`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Patch<T> {
    /// The field was not mentioned.
    #[default]
    Keep,
    /// The field was `null`.
    Clear,
    /// The field had a value.
    Set(T),
}

impl<T> Patch<T> {
    /// The field's new value, given its old one.
    pub fn over(self, old: Option<T>) -> Option<T> {
        match self {
            Self::Keep => old,
            Self::Clear => None,
            Self::Set(new) => Some(new),
        }
    }

    /// The value, if one was given.
    pub fn as_set(&self) -> Option<&T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Keep | Self::Clear => None,
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::<T>::deserialize(deserializer)?.map_or(Self::Clear, Self::Set))
    }
}

/// A value that is given keeps its type's rules.
impl<T: Validate> Validate for Patch<T> {
    fn validate(&self) -> Result<(), ValidationErrors> {
        self.as_set().map_or(Ok(()), Validate::validate)
    }
}

/// Only so that rules can be declared on such a field: the validator insists on it.
impl<T: Serialize> Serialize for Patch<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_set().serialize(serializer)
    }
}

/// For a field of a change that can't be cleared: absent is `None`, `null` is refused.
///
/// # Errors
///
/// When the value is `null`, or of another shape than expected.
pub fn never_null<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let value = Option::<T>::deserialize(deserializer)?;
    let refused = || D::Error::invalid_type(Unexpected::Unit, &"a value, or the field left out");
    value.map(Some).ok_or_else(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Change {
        #[serde(default)]
        name: Patch<String>,
        #[serde(default, deserialize_with = "never_null")]
        code: Option<String>,
    }

    #[test]
    fn absent_null_and_value_are_three_things() {
        let read = |json| serde_json::from_str::<Change>(json).unwrap().name;

        assert_eq!(read("{}"), Patch::Keep);
        assert_eq!(read(r#"{"name": null}"#), Patch::Clear);
        assert_eq!(read(r#"{"name": "brick"}"#), Patch::Set("brick".to_owned()));
    }

    #[test]
    fn what_can_not_be_cleared_is_absent_or_a_value() {
        let read = |json| serde_json::from_str::<Change>(json).map(|change| change.code);

        assert_eq!(read("{}").unwrap(), None);
        assert_eq!(read(r#"{"code": "x"}"#).unwrap(), Some("x".to_owned()));
        assert!(read(r#"{"code": null}"#).is_err());
    }
}
