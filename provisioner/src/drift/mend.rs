//! The statements that would turn a schema into what it should be. The schema's name in them is a
//! placeholder, so that they are written once for all who differ alike.

mod columns;
mod constraints;
mod indexes;
mod rest;
mod rights;
mod tables;

use std::collections::BTreeSet;

pub(super) use self::indexes::rebuild;

use crate::fingerprint::{Difference, Facts, OWN, Object, ObjectKind, ObjectName};

/// A line of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// A statement.
    Sql(String),
    /// A statement that somebody has to choose.
    Destroys(String),
    /// What no statement of ours can do.
    ByHand(String),
}

/// What would mend a schema, in the order in which it is to be done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Mending {
    /// In one transaction: what is in the way goes, tables and columns come.
    pub(super) build: Vec<Line>,
    /// Outside of any transaction: indexes, beside traffic.
    pub(super) beside: Vec<Line>,
    /// In another transaction: what needs all of that.
    pub(super) bind: Vec<Line>,
    /// Each alone, since each may fail: what reads whole tables and finds rows that break a rule,
    /// and what can't go while something needs it.
    pub(super) prove: Vec<Line>,
}

/// What would mend a schema that differs so.
pub(super) fn mend(difference: &Difference) -> Mending {
    let work = Work::of(difference);
    let mut to = Mending::default();
    rest::clear(&work, &mut to);
    constraints::clear(&work, &mut to);
    rest::prepare(&work, &mut to);
    tables::build(&work, &mut to);
    columns::build(&work, &mut to);
    tables::remove(&work, &mut to);
    indexes::build(&work, &mut to);
    constraints::bind(&work, &mut to);
    rest::bind(&work, &mut to);
    rights::bind(&work, &mut to);
    to
}

/// A difference, with what follows from it.
struct Work<'a> {
    missing: Vec<&'a Object>,
    extra: Vec<&'a Object>,
    changed: Vec<Both<'a>>,
    /// Relations that are made anew, with all that is on them.
    new: BTreeSet<&'a str>,
}

/// An object that is there and is not as it should be.
#[derive(Clone, Copy)]
struct Both<'a> {
    name: &'a ObjectName,
    is: &'a Facts,
    should: &'a Facts,
}

impl<'a> Work<'a> {
    fn of(difference: &'a Difference) -> Self {
        let relations = |objects: &'a [Object]| -> BTreeSet<&'a str> {
            let relations = objects.iter().filter(|one| is_relation(one.name.kind));
            relations.map(|one| one.name.name.as_str()).collect()
        };
        let (new, gone) = (relations(&difference.missing), relations(&difference.extra));
        // What is on a table that goes, goes with it.
        let stays = |one: &&Object| match one.name.relation.as_deref() {
            Some(relation) => is_relation(one.name.kind) || !gone.contains(relation),
            None => true,
        };
        let changed = difference.changed.iter().map(|one| Both {
            name: &one.name,
            is: &one.is,
            should: &one.should,
        });
        Self {
            missing: difference.missing.iter().collect(),
            extra: difference.extra.iter().filter(stays).collect(),
            changed: changed.collect(),
            new,
        }
    }

    fn missing(&self, kind: ObjectKind) -> impl Iterator<Item = &'a Object> {
        let of_kind = self.missing.iter().filter(move |one| one.name.kind == kind);
        of_kind.copied()
    }

    fn extra(&self, kind: ObjectKind) -> impl Iterator<Item = &'a Object> {
        self.extra
            .iter()
            .filter(move |one| one.name.kind == kind)
            .copied()
    }

    fn changed(&self, kind: ObjectKind) -> impl Iterator<Item = Both<'a>> {
        self.changed
            .iter()
            .filter(move |one| one.name.kind == kind)
            .copied()
    }

    /// Whether it is on a relation that is made anew.
    fn is_on_new(&self, name: &ObjectName) -> bool {
        let relation = name.relation.as_deref();
        relation.is_some_and(|relation| self.new.contains(relation))
    }

    /// Whether a constraint of that name is among these, which then brings its index along.
    fn is_constraint(objects: &[&Object], index: &ObjectName) -> bool {
        objects.iter().any(|one| {
            one.name.kind == ObjectKind::Constraint
                && one.name.name == index.name
                && one.name.relation == index.relation
        })
    }
}

/// Kinds that have a name among relations and things on them.
fn is_relation(kind: ObjectKind) -> bool {
    matches!(
        kind,
        ObjectKind::Table
            | ObjectKind::PartitionedTable
            | ObjectKind::View
            | ObjectKind::MaterializedView
            | ObjectKind::Sequence
            | ObjectKind::Relation
    )
}

/// A name in quotes.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A relation or the like of the schema.
fn own(name: &str) -> String {
    format!("{OWN}.{}", quoted(name))
}

/// The table that an object is on.
fn table(name: &ObjectName) -> String {
    own(name.relation.as_deref().unwrap_or(&name.name))
}

/// The statement that makes it, as the catalogues have it.
fn definition(facts: &Facts) -> &str {
    facts.text("definition").unwrap_or_default()
}
