//! Shapes that harm later: looked for in what a migration made or changed, not in what was there.

use std::collections::BTreeMap;

use super::Seen;
use crate::check::snapshot::{Index, Rule, Snapshot};
use crate::check::{Code, Finding};

pub(super) fn look(seen: Seen<'_>) -> Vec<Finding> {
    let mut findings = vec![];
    findings.extend(enums(seen));
    findings.extend(references(seen));
    findings.extend(keys(seen));
    findings.extend(foreign_keys(seen));
    findings.extend(duplicates(seen));
    findings.extend(columns(seen));
    findings.extend(unlogged(seen));
    findings
}

fn enums(seen: Seen<'_>) -> Vec<Finding> {
    let made = seen.after().enums.difference(&seen.before().enums);
    made.map(|name| {
        let message = format!("makes enum type {name}");
        seen.finding(Code::NativeEnum, message).at(name)
    })
    .collect()
}

fn references(seen: Seen<'_>) -> Vec<Finding> {
    let made = seen
        .after()
        .references
        .difference(&seen.before().references);
    made.map(|(name, refers_to)| {
        let message = format!("{name} refers to {refers_to}");
        seen.finding(Code::CrossSchemaReference, message).at(name)
    })
    .collect()
}

fn primary_key(snapshot: &Snapshot, table: i64) -> Option<&Index> {
    let mut indexes = snapshot.indexes.values();
    indexes.find(|index| index.table == table && index.is_primary)
}

/// Tables without a primary key, and keys that are too small.
fn keys(seen: Seen<'_>) -> Vec<Finding> {
    let (before, after) = (seen.before(), seen.after());
    let mut findings = vec![];
    for (table, relation) in after.tables() {
        let was_there = before.has_table(table);
        let had_key = primary_key(before, table).is_some();
        let Some(key) = primary_key(after, table) else {
            if !was_there || had_key {
                let message = format!("table {} has no primary key", relation.name);
                findings.push(seen.finding(Code::NoPrimaryKey, message).at(&relation.name));
            }
            continue;
        };
        if had_key {
            continue;
        }
        // A part of a longer key is not what runs out.
        if let [number] = key.key.as_slice()
            && let Some(column) = after.columns.get(&(table, *number))
            && ["integer", "smallint"].contains(&column.kind.as_str())
            && !is_referring(after, table, *number)
        {
            let name = after.column_name(table, *number);
            let message = format!("primary key {name} is {}", column.kind);
            findings.push(seen.finding(Code::NarrowKey, message).at(name));
        }
    }
    findings
}

fn is_referring(snapshot: &Snapshot, table: i64, number: i16) -> bool {
    snapshot
        .constraints
        .values()
        .any(|one| one.table == table && one.kind == Rule::ForeignKey && one.key.contains(&number))
}

fn foreign_keys(seen: Seen<'_>) -> Vec<Finding> {
    let (before, after) = (seen.before(), seen.after());
    let mut findings = vec![];
    for (number, constraint) in &after.constraints {
        if constraint.kind != Rule::ForeignKey {
            continue;
        }
        let is_served = has_index(after, constraint.table, &constraint.key);
        let was_served = before.constraints.contains_key(number)
            && has_index(before, constraint.table, &constraint.key);
        let is_new = !before.constraints.contains_key(number);
        if !is_served && (is_new || was_served) {
            let name = &constraint.name;
            let message = format!(
                "foreign key {name} of {} has no index that begins with its columns",
                after.name(constraint.table)
            );
            findings.push(seen.finding(Code::ForeignKeyWithoutIndex, message).at(name));
        }
    }
    findings
}

/// Whether an index of a table begins with these columns, in any order. One with a predicate serves
/// where it leaves out the empty ones only, which can't refer to anything; that is believed.
fn has_index(snapshot: &Snapshot, table: i64, key: &[i16]) -> bool {
    snapshot.indexes.values().any(|index| {
        let begins = index.key.get(..key.len());
        index.table == table
            && begins.is_some_and(|begins| key.iter().all(|number| begins.contains(number)))
    })
}

fn duplicates(seen: Seen<'_>) -> Vec<Finding> {
    let (before, after) = (seen.before(), seen.after());
    let mut by_definition: BTreeMap<(i64, String), Vec<i64>> = BTreeMap::new();
    for (number, index) in &after.indexes {
        // A unique index serves whoever asks for a plain one.
        let definition = index
            .definition
            .replace("CREATE UNIQUE INDEX", "CREATE INDEX");
        by_definition
            .entry((index.table, definition))
            .or_default()
            .push(*number);
    }
    let mut findings = vec![];
    for same in by_definition.values().filter(|same| same.len() > 1) {
        let Some(made) = same.iter().find(|one| !before.indexes.contains_key(one)) else {
            continue;
        };
        let others = same.iter().filter(|one| *one != made);
        let others: Vec<&str> = others.map(|one| after.name(*one)).collect();
        let name = after.name(*made);
        let message = format!("index {name} is the same as {}", others.join(", "));
        findings.push(seen.finding(Code::DuplicateIndex, message).at(name));
    }
    findings
}

fn columns(seen: Seen<'_>) -> Vec<Finding> {
    let (before, after) = (seen.before(), seen.after());
    let mut findings = vec![];
    for ((table, number), column) in &after.columns {
        if before.columns.contains_key(&(*table, *number)) || !after.has_table(*table) {
            continue;
        }
        let name = after.column_name(*table, *number);
        let kind = column.kind.as_str();
        let code = if kind.starts_with("timestamp") && kind.contains("without time zone") {
            Code::TimestampWithoutZone
        } else if kind.starts_with("character(") || kind.starts_with("character varying(") {
            Code::LengthLimitedText
        } else {
            continue;
        };
        let message = format!("column {name} is {kind}");
        findings.push(seen.finding(code, message).at(name));
    }
    findings
}

fn unlogged(seen: Seen<'_>) -> Vec<Finding> {
    let (before, after) = (seen.before(), seen.after());
    let made = after.tables().filter(|(table, relation)| {
        let was = before.relations.get(table);
        relation.is_unlogged && !was.is_some_and(|was| was.is_unlogged)
    });
    made.map(|(_, relation)| {
        let message = format!("table {} is unlogged", relation.name);
        seen.finding(Code::UnloggedTable, message)
            .at(&relation.name)
    })
    .collect()
}
