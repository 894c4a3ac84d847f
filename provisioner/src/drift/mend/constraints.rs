//! Constraints: those in the way go first, those that are missing come last.

use super::{Line, Mending, Work, definition, quoted, table};
use crate::fingerprint::{Facts, ObjectKind, ObjectName};

/// Drops what should not be there, and what has to be made again.
pub(super) fn clear(work: &Work<'_>, to: &mut Mending) {
    let extra = work
        .extra(ObjectKind::Constraint)
        .map(|one| (&one.name, &one.facts));
    let changed = work.changed(ObjectKind::Constraint);
    let changed = changed.filter(|one| !is_only_unproven(one.is, one.should));
    let mut all: Vec<_> = extra.chain(changed.map(|one| (one.name, one.is))).collect();
    // A foreign key before the key that it leads to.
    all.sort_by_key(|(_, facts)| facts.text("type") != Some("f"));
    for (name, _) in all {
        let (table, name) = (table(name), quoted(&name.name));
        let sql = format!("ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}");
        to.build.push(Line::Sql(sql));
    }
}

/// Adds what is missing. Rows are proven by a statement of its own, which locks nobody out.
pub(super) fn bind(work: &Work<'_>, to: &mut Mending) {
    let missing = work.missing(ObjectKind::Constraint);
    // A new table has its own already, but for what leads to others.
    let missing =
        missing.filter(|one| !work.is_on_new(&one.name) || one.facts.text("type") == Some("f"));
    let missing = missing.map(|one| {
        let has_index = work.missing(ObjectKind::Index).any(|index| {
            index.name.name == one.name.name && index.name.relation == one.name.relation
        });
        (&one.name, &one.facts, has_index)
    });
    let changed = work.changed(ObjectKind::Constraint);
    let changed = changed.filter(|one| !is_only_unproven(one.is, one.should));
    let changed = changed.map(|one| (one.name, one.should, false));
    let mut all: Vec<_> = missing.chain(changed).collect();
    all.sort_by_key(|(_, facts, _)| facts.text("type") == Some("f"));
    for (name, facts, has_index) in all {
        add(name, facts, has_index, to);
    }
    for one in work.changed(ObjectKind::Constraint) {
        if is_only_unproven(one.is, one.should) {
            validate(one.name, to);
        }
    }
}

/// Whether all that is wrong is that nobody has looked at the rows yet.
fn is_only_unproven(is: &Facts, should: &Facts) -> bool {
    let mut is = is.clone();
    is.0.remove("not_valid").is_some() && is == *should
}

fn add(name: &ObjectName, facts: &Facts, has_index: bool, to: &mut Mending) {
    let (table, quoted) = (table(name), quoted(&name.name));
    let add = format!("ALTER TABLE {table} ADD CONSTRAINT {quoted}");
    let definition = definition(facts);
    match facts.text("type") {
        Some("f" | "c") => {
            to.bind
                .push(Line::Sql(format!("{add} {definition} NOT VALID")));
            if !facts.says("not_valid") {
                validate(name, to);
            }
        }
        Some(kind @ ("p" | "u")) if has_index => {
            let word = match kind {
                "p" => "PRIMARY KEY",
                _ => "UNIQUE",
            };
            let when = definition.find(" DEFERRABLE");
            let when = when.map_or("", |at| &definition[at..]);
            to.bind.push(Line::Sql(format!(
                "{add} {word} USING INDEX {quoted}{when}"
            )));
        }
        _ => to.bind.push(Line::Sql(format!("{add} {definition}"))),
    }
}

fn validate(name: &ObjectName, to: &mut Mending) {
    let (table, name) = (table(name), quoted(&name.name));
    let sql = format!("ALTER TABLE {table} VALIDATE CONSTRAINT {name}");
    to.prove.push(Line::Sql(sql));
}
