//! What was done to what.

use serde::Serialize;
use serde_json::{Map, Value};

use super::redact::redacted;

/// One thing that was done: exactly one record.
#[derive(Debug, Clone)]
pub struct Change {
    pub(super) action: &'static str,
    pub(super) target_kind: &'static str,
    pub(super) target_id: Option<String>,
    pub(super) before: Option<Value>,
    pub(super) after: Option<Value>,
}

impl Change {
    /// Something done to a thing, such as `("item.retire", "item", id)`.
    pub fn new(action: &'static str, target_kind: &'static str, id: impl ToString) -> Self {
        Self {
            action,
            target_kind,
            target_id: Some(id.to_string()),
            before: None,
            after: None,
        }
    }

    /// Something done to no thing that has an id, such as an import.
    pub fn of_all(action: &'static str, target_kind: &'static str) -> Self {
        Self {
            action,
            target_kind,
            target_id: None,
            before: None,
            after: None,
        }
    }

    /// What was done, such as `item.retire`.
    pub fn action(&self) -> &'static str {
        self.action
    }

    /// To which thing, if to one.
    pub fn target_id(&self) -> Option<&str> {
        self.target_id.as_deref()
    }

    /// The names of the fields that are told of it, without their values.
    pub fn changed_fields(&self) -> Vec<&str> {
        match &self.after {
            Some(Value::Object(fields)) => fields.keys().map(String::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// What it is now, or what belongs to the deed. Values whose names say that they are secret are
    /// left out.
    ///
    /// # Panics
    ///
    /// Never for what is made of plain values.
    pub fn after(mut self, state: &impl Serialize) -> Self {
        self.after = Some(plain(state));
        self
    }

    /// What it was, and is no more.
    ///
    /// # Panics
    ///
    /// As [`Change::after`].
    pub fn before(mut self, state: &impl Serialize) -> Self {
        self.before = Some(plain(state));
        self
    }

    /// What it was and what it is, as far as the two differ.
    ///
    /// # Panics
    ///
    /// As [`Change::after`].
    pub fn from_to<T: Serialize>(mut self, before: &T, after: &T) -> Self {
        let (before, after) = difference(plain(before), plain(after));
        self.before = Some(before);
        self.after = Some(after);
        self
    }
}

fn plain(state: &impl Serialize) -> Value {
    redacted(serde_json::to_value(state).expect("what goes on record is made of plain values"))
}

fn difference(before: Value, after: Value) -> (Value, Value) {
    let (Value::Object(before), Value::Object(after)) = (&before, &after) else {
        return (before, after);
    };
    let only = |of: &Map<String, Value>, other: &Map<String, Value>| {
        let differing = of
            .iter()
            .filter(|(key, value)| other.get(*key) != Some(*value));
        Value::Object(differing.map(|(k, v)| (k.clone(), v.clone())).collect())
    };
    (only(before, after), only(after, before))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_differs_is_told() {
        let before = json!({"name": "old", "version": 1, "sku": "A"});
        let after = json!({"name": "new", "version": 2, "sku": "A"});

        let change = Change::new("item.change", "item", 1).from_to(&before, &after);

        assert_eq!(change.before, Some(json!({"name": "old", "version": 1})));
        assert_eq!(change.after, Some(json!({"name": "new", "version": 2})));
    }

    #[test]
    fn what_is_secret_is_not_told() {
        let state = json!({"name": "key", "secret": "s", "deep": [{"password": "p", "at": 1}]});

        let change = Change::new("api_key.create", "api_key", 1).after(&state);

        let told = json!({"name": "key", "secret": "[redacted]",
            "deep": [{"password": "[redacted]", "at": 1}]});
        assert_eq!(change.after, Some(told));
    }
}
