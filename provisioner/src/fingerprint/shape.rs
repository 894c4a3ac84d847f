//! A schema's structure, object by object, and what of it differs.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use super::difference::{Change, Difference};

/// Stands for the schema's own name, and its role's, in all that is kept of a structure: a
/// character that is nobody's, so that it can be put back into a statement.
pub(crate) const OWN: char = '\u{e000}';

/// What kind of thing an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectKind {
    /// A plain table.
    Table,
    /// A table in parts.
    PartitionedTable,
    /// A view.
    View,
    /// A view that keeps its rows.
    MaterializedView,
    /// A sequence.
    Sequence,
    /// Anything else that has columns.
    Relation,
    /// A column.
    Column,
    /// An index.
    Index,
    /// A rule about rows.
    Constraint,
    /// A trigger.
    Trigger,
    /// A rule of the rewriter.
    Rule,
    /// A policy of row security.
    Policy,
    /// A function or procedure.
    Function,
    /// A type.
    Type,
    /// Rights that what is made later gets.
    DefaultRights,
    /// The schema itself.
    Schema,
}

const WORDS: [(ObjectKind, &str); 16] = [
    (ObjectKind::Table, "table"),
    (ObjectKind::PartitionedTable, "partitioned table"),
    (ObjectKind::View, "view"),
    (ObjectKind::MaterializedView, "materialized view"),
    (ObjectKind::Sequence, "sequence"),
    (ObjectKind::Relation, "relation"),
    (ObjectKind::Column, "column"),
    (ObjectKind::Index, "index"),
    (ObjectKind::Constraint, "constraint"),
    (ObjectKind::Trigger, "trigger"),
    (ObjectKind::Rule, "rule"),
    (ObjectKind::Policy, "policy"),
    (ObjectKind::Function, "function"),
    (ObjectKind::Type, "type"),
    (ObjectKind::DefaultRights, "default rights"),
    (ObjectKind::Schema, "schema"),
];

impl ObjectKind {
    pub(crate) fn parse(word: &str) -> Option<Self> {
        let found = WORDS.iter().find(|(_, known)| *known == word);
        found.map(|(kind, _)| *kind)
    }

    /// What people call it.
    pub fn word(self) -> &'static str {
        let found = WORDS.iter().find(|(kind, _)| *kind == self);
        found.expect("every kind has its word").1
    }
}

/// Which object, without the schema's name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectName {
    /// What it is.
    pub kind: ObjectKind,
    /// The table or the like that it belongs to, or is.
    pub relation: Option<String>,
    /// Its own name; of a function with the types of its arguments.
    pub name: String,
}

/// `column widget.colour`, `constraint widget_pkey on widget`, `function touch()`.
impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, name) = (self.kind.word(), shown(&self.name));
        let relation = self.relation.as_deref().unwrap_or_default();
        match self.kind {
            ObjectKind::Column => write!(f, "column {relation}.{name}"),
            ObjectKind::Constraint
            | ObjectKind::Trigger
            | ObjectKind::Rule
            | ObjectKind::Policy => write!(f, "{word} {name} on {relation}"),
            ObjectKind::DefaultRights => write!(f, "default rights on {name}"),
            ObjectKind::Schema => write!(f, "rights on the schema"),
            _ => write!(f, "{word} {name}"),
        }
    }
}

/// A text for people: the schema's own name before a dot says nothing, elsewhere it is `$`.
pub(crate) fn shown(text: &str) -> String {
    text.replace("\u{e000}.", "").replace(OWN, "$")
}

/// What is known of an object, each thing under its own name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Facts(pub(crate) BTreeMap<String, Value>);

/// Who may do what; a star behind a right says that it may be handed on.
pub(crate) type Rights = BTreeMap<String, Vec<String>>;

impl Facts {
    pub(crate) fn text(&self, fact: &str) -> Option<&str> {
        self.0.get(fact).and_then(Value::as_str)
    }

    pub(crate) fn says(&self, fact: &str) -> bool {
        self.0.get(fact).and_then(Value::as_bool) == Some(true)
    }

    pub(crate) fn rights(&self) -> Rights {
        let rights = self.0.get("rights").cloned().unwrap_or_default();
        serde_json::from_value(rights).unwrap_or_default()
    }
}

/// A schema's structure. Two are comparable wherever they were read: neither the schema's name is
/// in it, nor its role's, nor its owner's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shape(pub(crate) BTreeMap<ObjectName, Facts>);

/// An object and what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Which.
    pub name: ObjectName,
    pub(crate) facts: Facts,
}

impl Shape {
    /// How `self` differs from what it should be; nothing if it doesn't.
    pub(crate) fn difference(&self, should: &Self) -> Option<Difference> {
        if self == should {
            return None;
        }
        let not_in = |these: &Self, those: &Self| {
            let missing = these
                .0
                .iter()
                .filter(|(name, _)| !those.0.contains_key(name));
            missing.map(object).collect()
        };
        let changed = should.0.iter().filter_map(|(name, facts)| {
            let is = self.0.get(name).filter(|is| *is != facts)?;
            Some(Change {
                name: name.clone(),
                is: is.clone(),
                should: facts.clone(),
            })
        });
        Some(Difference {
            missing: not_in(should, self),
            extra: not_in(self, should),
            changed: changed.collect(),
        })
    }
}

fn object((name, facts): (&ObjectName, &Facts)) -> Object {
    Object {
        name: name.clone(),
        facts: facts.clone(),
    }
}
