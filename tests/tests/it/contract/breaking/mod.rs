//! What of a newer document would break a client that was made from an older one.

mod examples;
mod operation;
mod schema;

use std::fmt;

use serde_json::Value;

use crate::openapi::METHODS;

/// One thing that a client may have relied on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Break {
    /// The operation, such as `patch /api/v1/items/{}`.
    pub operation: String,
    /// The place within it, such as `response 200 data[].name`.
    pub place: String,
    /// What became of it.
    pub what: String,
}

impl fmt::Display for Break {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} | {} | {}", self.operation, self.place, self.what)
    }
}

/// The document before, and the document after.
#[derive(Clone, Copy)]
pub struct Pair<'a> {
    pub old: &'a Value,
    pub new: &'a Value,
}

/// Everything in `new` that breaks what `old` promised, in order.
pub fn breaks(old: &Value, new: &Value) -> Vec<Break> {
    let documents = Pair { old, new };
    let mut found = Vec::new();
    for (path, item) in fields(&old["paths"]) {
        for method in METHODS {
            let Some(before) = item.get(method) else {
                continue;
            };
            let operation = format!("{method} {}", shape_of(path));
            let after = fields(&new["paths"])
                .find(|(other, _)| shape_of(other) == shape_of(path))
                .and_then(|(_, item)| item.get(method));
            let losses = match after {
                Some(after) => operation::compare(documents, before, after),
                None => vec![(String::new(), "the operation is gone".to_owned())],
            };
            found.extend(losses.into_iter().map(|(place, what)| Break {
                operation: operation.clone(),
                place,
                what,
            }));
        }
    }
    found.sort();
    found.dedup();
    found
}

/// A path without the names of its parameters: those are nobody's but ours.
fn shape_of(path: &str) -> String {
    let mut shape = String::new();
    let mut is_name = false;
    for letter in path.chars() {
        is_name &= letter != '}';
        if !is_name {
            shape.push(letter);
        }
        is_name |= letter == '{';
    }
    shape
}

/// The fields of an object; none when it isn't one.
fn fields(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

/// Follows a reference within a document.
pub fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let target = value["$ref"].as_str();
    let target = target.and_then(|target| document.pointer(target.trim_start_matches('#')));
    target.unwrap_or(value)
}
