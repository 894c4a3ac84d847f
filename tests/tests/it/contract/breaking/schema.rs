//! One schema, before and after.
//!
//! Of two schemas one must be *wide*: what the other one, the *narrow* one, lets through, it has to
//! let through as well. What a client sends fits the old document, so the new one must be wide. What
//! a server answers fits the new document, and a client takes what fits the old one.

use std::collections::{BTreeSet, HashSet};

use serde_json::Value;

use super::operation::Loss;
use super::{Pair, fields, resolve};

/// Who says what the schema describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The client.
    Request,
    /// The server.
    Response,
}

/// Bounds that narrow when they grow.
const LOWER: [&str; 4] = ["minimum", "exclusiveMinimum", "minLength", "minItems"];
/// Bounds that narrow when they shrink.
const UPPER: [&str; 4] = ["maximum", "exclusiveMaximum", "maxLength", "maxItems"];
/// What narrows when it is there, and is something else when it changes.
const EXACT: [&str; 3] = ["format", "pattern", "multipleOf"];

pub struct Comparison<'a> {
    documents: Pair<'a>,
    direction: Direction,
    /// Pairs of references that are being looked at: schemas may hold themselves.
    under_way: HashSet<(String, String)>,
    losses: Vec<Loss>,
}

impl<'a> Comparison<'a> {
    pub fn of(documents: Pair<'a>, direction: Direction) -> Self {
        Self {
            documents,
            direction,
            under_way: HashSet::new(),
            losses: Vec::new(),
        }
    }

    pub fn run(mut self, place: &str, old: &'a Value, new: &'a Value) -> Vec<Loss> {
        self.schema(place, old, new);
        self.losses
    }

    fn schema(&mut self, place: &str, old: &'a Value, new: &'a Value) {
        let pair = (old["$ref"].to_string(), new["$ref"].to_string());
        let is_reference = old.get("$ref").is_some() || new.get("$ref").is_some();
        if is_reference && !self.under_way.insert(pair.clone()) {
            return;
        }
        self.resolved(
            place,
            resolve(self.documents.old, old),
            resolve(self.documents.new, new),
        );
        self.under_way.remove(&pair);
    }

    fn resolved(&mut self, place: &str, old: &'a Value, new: &'a Value) {
        let sides = match self.direction {
            Direction::Request => (new, old),
            Direction::Response => (old, new),
        };
        if variants(old).len() > 1 || variants(new).len() > 1 {
            self.variants(place, sides);
            return;
        }
        let (old, new) = (variants(old)[0], variants(new)[0]);
        let (old, new) = (
            resolve(self.documents.old, old),
            resolve(self.documents.new, new),
        );
        let (wide, narrow) = match self.direction {
            Direction::Request => (new, old),
            Direction::Response => (old, new),
        };
        self.keywords(place, wide, narrow);
        self.required(place, old, new);
        let (before, after) = (
            self.gathered(self.documents.old, old, &properties),
            self.gathered(self.documents.new, new, &properties),
        );
        for (name, schema) in &before {
            let place = format!("{place} {name}");
            match after.iter().find(|(other, _)| other == name) {
                Some((_, other)) => self.schema(&place, schema, other),
                None => self.lose(&place, "is gone".to_owned()),
            }
        }
        if let (Some(old), Some(new)) = (old.get("items"), new.get("items")) {
            self.schema(&format!("{place}[]"), old, new);
        }
    }

    /// Whatever one of the narrow variants lets through, one of the wide ones must.
    fn variants(&mut self, place: &str, (wide, narrow): (&'a Value, &'a Value)) {
        for variant in variants(narrow) {
            let fits = |other: &&'a Value| {
                let (old, new) = match self.direction {
                    Direction::Request => (variant, *other),
                    Direction::Response => (*other, variant),
                };
                let losses = Comparison {
                    documents: self.documents,
                    direction: self.direction,
                    under_way: self.under_way.clone(),
                    losses: Vec::new(),
                };
                losses.run(place, old, new).is_empty()
            };
            if !variants(wide).iter().any(fits) {
                self.lose(place, format!("no counterpart for {}", told(variant)));
            }
        }
    }

    fn keywords(&mut self, place: &str, wide: &Value, narrow: &Value) {
        let (takes, says) = (types(wide), types(narrow));
        let fits =
            |kind: &&str| takes.contains(*kind) || *kind == "integer" && takes.contains("number");
        if !takes.is_empty() && (says.is_empty() || !says.iter().all(fits)) {
            self.changed(place, "type", wide, narrow);
        }
        let (takes, says) = (enumerated(wide), enumerated(narrow));
        if let Some(takes) = takes
            && says.is_none_or(|says| !says.is_subset(&takes))
        {
            self.changed(place, "enum", wide, narrow);
        }
        for key in EXACT {
            if wide.get(key).is_some() && wide.get(key) != narrow.get(key) {
                self.changed(place, key, wide, narrow);
            }
        }
        // A client doesn't mind longer words than it was promised.
        if self.direction == Direction::Request {
            for (keys, is_lower) in [(LOWER, true), (UPPER, false)] {
                for key in keys {
                    let bounds = (wide[key].as_i64(), narrow[key].as_i64());
                    let is_tighter = match bounds {
                        (Some(wide), Some(narrow)) if is_lower => wide > narrow,
                        (Some(wide), Some(narrow)) => wide < narrow,
                        (bound, _) => bound.is_some(),
                    };
                    if is_tighter {
                        self.changed(place, key, wide, narrow);
                    }
                }
            }
            if wide["additionalProperties"] == false && narrow["additionalProperties"] != false {
                self.lose(place, "fields that it doesn't name are refused".to_owned());
            }
        }
    }

    /// In either direction it is the wide one that may ask for no more than the narrow one.
    fn required(&mut self, place: &str, old: &'a Value, new: &'a Value) {
        let old = self.gathered(self.documents.old, old, &required);
        let new = self.gathered(self.documents.new, new, &required);
        let (asks, asked, what) = match self.direction {
            Direction::Request => (new, old, "is required now"),
            Direction::Response => (old, new, "is not always there any more"),
        };
        for name in asks.iter().filter(|name| !asked.contains(name)) {
            self.lose(&format!("{place} {name}"), what.to_owned());
        }
    }

    /// Something of a schema, and of the parts that it is made of.
    fn gathered<T>(
        &self,
        document: &'a Value,
        schema: &'a Value,
        of: &dyn Fn(&'a Value) -> Vec<T>,
    ) -> Vec<T> {
        let parts = schema["allOf"].as_array().into_iter().flatten();
        let inherited = parts.flat_map(|part| self.gathered(document, resolve(document, part), of));
        of(schema).into_iter().chain(inherited).collect()
    }

    fn changed(&mut self, place: &str, key: &str, wide: &Value, narrow: &Value) {
        let (old, new) = match self.direction {
            Direction::Request => (narrow, wide),
            Direction::Response => (wide, narrow),
        };
        self.lose(place, format!("{key} was {}, is {}", old[key], new[key]));
    }

    fn lose(&mut self, place: &str, what: String) {
        self.losses.push((place.to_owned(), what));
    }
}

/// What a schema may be: its `oneOf` or `anyOf`, or itself.
fn variants(schema: &Value) -> Vec<&Value> {
    let listed = schema.get("oneOf").or_else(|| schema.get("anyOf"));
    match listed.and_then(Value::as_array) {
        Some(variants) if !variants.is_empty() => variants.iter().collect(),
        _ => vec![schema],
    }
}

/// The types that it may have; none means any.
fn types(schema: &Value) -> BTreeSet<&str> {
    match &schema["type"] {
        Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
        kind => kind.as_str().into_iter().collect(),
    }
}

fn enumerated(schema: &Value) -> Option<BTreeSet<String>> {
    if let Some(constant) = schema.get("const") {
        return Some(BTreeSet::from([constant.to_string()]));
    }
    let values = schema["enum"].as_array()?;
    Some(values.iter().map(Value::to_string).collect())
}

fn required(schema: &Value) -> Vec<&str> {
    let names = schema["required"].as_array().into_iter().flatten();
    names.filter_map(Value::as_str).collect()
}

fn properties(schema: &Value) -> Vec<(&String, &Value)> {
    fields(&schema["properties"]).collect()
}

/// A few words for a variant.
fn told(schema: &Value) -> &Value {
    schema
        .get("$ref")
        .or_else(|| schema.get("title"))
        .unwrap_or(&schema["type"])
}
