//! How a schema differs from what it should be, for machines and in people's words.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::shape::{Facts, OWN, Object, ObjectKind, ObjectName, Rights, shown};

/// At most so many objects are named in a report; the rest is counted.
const MOST_NAMED: usize = 20;
/// A longer definition says less than that it differs.
const LONGEST: usize = 160;

/// How a schema differs from what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Objects that should be there.
    pub missing: Vec<Object>,
    /// Objects that should not.
    pub extra: Vec<Object>,
    /// Objects that are there and are not as they should be.
    pub changed: Vec<Change>,
}

/// An object that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Which.
    pub name: ObjectName,
    pub(crate) is: Facts,
    pub(crate) should: Facts,
}

impl Difference {
    /// For reports: at most twenty objects of each kind with what they are and should be, how many
    /// there are, and the same in people's words.
    pub fn to_json(&self) -> Value {
        json!({
            "missing": some(&self.missing, |one| (&one.name, told("should", &one.name, &one.facts))),
            "extra": some(&self.extra, |one| (&one.name, told("is", &one.name, &one.facts))),
            "changed": some(&self.changed, |one| {
                let mut both = told("is", &one.name, &one.is);
                both.extend(told("should", &one.name, &one.should));
                (&one.name, both)
            }),
            "words": self.words().into_iter().take(MOST_NAMED).collect::<Vec<_>>(),
        })
    }

    /// In people's words, a line for each table: ``widget: column `colour` text is extra``.
    pub fn words(&self) -> Vec<String> {
        let mut lines: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for one in &self.extra {
            let line = lines.entry(place(&one.name)).or_default();
            line.push(format!("{} is extra", named(&one.name, Some(&one.facts))));
        }
        for one in &self.missing {
            let line = lines.entry(place(&one.name)).or_default();
            line.push(format!("{} is missing", named(&one.name, Some(&one.facts))));
        }
        for one in &self.changed {
            let line = lines.entry(place(&one.name)).or_default();
            line.push(format!("{}: {}", named(&one.name, None), one.words()));
        }
        let line = |(place, texts): (&str, Vec<String>)| format!("{place}: {}", texts.join("; "));
        lines.into_iter().map(line).collect()
    }

    /// The object to name where only one can be.
    pub(crate) fn first(&self) -> Option<&ObjectName> {
        let changed = self.changed.iter().map(|one| &one.name);
        let others = self.extra.iter().chain(&self.missing).map(|one| &one.name);
        changed.chain(others).next()
    }

    /// Whether nothing is wrong but that indexes are invalid.
    pub(crate) fn is_only_invalid(&self) -> bool {
        let differs = |one: &Change| {
            let mut is = one.is.clone();
            is.0.remove("invalid").is_some() && is == one.should
        };
        self.missing.is_empty() && self.extra.is_empty() && self.changed.iter().all(differs)
    }
}

impl Change {
    /// What it is and what it should be.
    fn words(&self) -> String {
        let (is, should) = (
            described(&self.name, &self.is),
            described(&self.name, &self.should),
        );
        let is_short = is.len() <= LONGEST && should.len() <= LONGEST;
        match (is == should, is_short) {
            (false, true) => format!("is {is}, should be {should}"),
            (false, false) => "is defined otherwise than it should be".to_owned(),
            (true, _) => format!(
                "{}, should be: {}",
                may(&self.is.rights()),
                may(&self.should.rights())
            ),
        }
    }
}

fn some<T>(
    objects: &[T],
    of: impl for<'a> Fn(&'a T) -> (&'a ObjectName, Map<String, Value>),
) -> Value {
    let named = objects.iter().take(MOST_NAMED).map(of);
    let (names, definitions): (Vec<String>, Vec<(String, Value)>) = named
        .map(|(name, told)| (name.to_string(), (name.to_string(), Value::Object(told))))
        .unzip();
    json!({
        "count": objects.len(),
        "objects": names,
        "definitions": definitions.into_iter().collect::<Map<_, _>>(),
    })
}

fn told(word: &str, name: &ObjectName, facts: &Facts) -> Map<String, Value> {
    let mut text = vec![described(name, facts)];
    if facts.0.contains_key("rights") {
        text.push(may(&facts.rights()));
    }
    text.retain(|part| !part.is_empty());
    Map::from_iter([(word.to_owned(), text.join("; ").into())])
}

/// Where it is: a table, or the schema.
fn place(name: &ObjectName) -> &str {
    name.relation.as_deref().unwrap_or("schema")
}

/// An object within its place. Of a column its type is said too.
fn named(name: &ObjectName, facts: Option<&Facts>) -> String {
    let word = name.kind.word();
    match (name.kind, facts) {
        (ObjectKind::Schema, _) => "rights on the schema".to_owned(),
        (ObjectKind::DefaultRights, _) => format!("rights of new {}", name.name.to_lowercase()),
        (ObjectKind::Column, Some(facts)) => {
            format!("column `{}` {}", name.name, described(name, facts))
        }
        _ => format!("{word} `{}`", shown(&name.name)),
    }
}

/// What it is, as one would write it; nothing of rights.
fn described(name: &ObjectName, facts: &Facts) -> String {
    let text = match name.kind {
        ObjectKind::Column => column(facts),
        ObjectKind::Index => {
            let definition = facts.text("definition").unwrap_or_default();
            let unique = match definition.starts_with("CREATE UNIQUE") {
                true => "unique ",
                false => "",
            };
            let (_, on) = definition.split_once(" ON ").unwrap_or_default();
            let (_, how) = on.split_once(" USING ").unwrap_or(("", on));
            let state = match facts.says("invalid") {
                true => ", invalid",
                false => "",
            };
            format!("{unique}{how}{state}")
        }
        _ => {
            let mut parts: Vec<String> = facts
                .text("definition")
                .map(str::to_owned)
                .into_iter()
                .collect();
            let others = facts.0.iter().filter(|(fact, _)| {
                !matches!(
                    fact.as_str(),
                    "definition" | "rights" | "type" | "routine" | "sort"
                )
            });
            parts.extend(others.map(|(fact, value)| match value {
                Value::Bool(true) => fact.replace('_', " "),
                Value::String(text) => format!("{} {text}", fact.replace('_', " ")),
                other => format!("{} {other}", fact.replace('_', " ")),
            }));
            parts.join(", ")
        }
    };
    shown(&text)
}

/// A column as `ADD COLUMN` would have it.
pub(crate) fn column(facts: &Facts) -> String {
    let mut text = facts.text("type").unwrap_or_default().to_owned();
    if let Some(collation) = facts.text("collation") {
        text += &format!(" COLLATE {collation}");
    }
    if let Some(how) = facts.text("identity") {
        text += &format!(" GENERATED {how} AS IDENTITY");
    }
    match facts.text("default") {
        Some(expression) if facts.says("generated") => {
            text += &format!(" GENERATED ALWAYS AS ({expression}) STORED");
        }
        Some(expression) => text += &format!(" DEFAULT {expression}"),
        None => {}
    }
    if facts.says("not_null") {
        text += " NOT NULL";
    }
    text
}

/// Who may do what.
fn may(rights: &Rights) -> String {
    let own = format!("role {OWN}");
    let one = |(who, what): (&String, &Vec<String>)| {
        let what = what.join(", ").replace('*', " (and hand it on)");
        match who.as_str() {
            "owner lacks" => format!("its owner lacks {what}"),
            "public" => format!("everybody may {what}"),
            who if who == own => format!("its own role may {what}"),
            who => format!("{who} may {what}"),
        }
    };
    match rights.is_empty() {
        true => "nobody else may anything".to_owned(),
        false => rights.iter().map(one).collect::<Vec<_>>().join(", "),
    }
}
