//! Work that takes as long as a table is large, done while others wait for the table: it is
//! written anew, read from end to end, indexed or changed, and its lock is held to the end.

use super::{Seen, Step};
use crate::Way;
use crate::check::snapshot::{Constraint, Rule};
use crate::check::stage::words;
use crate::check::{Code, Finding};

/// Fewer rows, found without reading a table, are no work.
const FEW_ROWS: i64 = 5;

pub(super) fn look(seen: Seen<'_>, step: Step<'_>) -> Vec<Finding> {
    let tables: Vec<i64> = step
        .before
        .tables()
        .map(|(table, _)| table)
        .filter(|table| seen.was_there(*table) && step.after.has_table(*table))
        .collect();
    let mut findings = vec![];
    for table in tables {
        findings.extend(renames(seen, step, table));
        let retyped = retyped(seen, step, table);
        let is_retyped = !retyped.is_empty();
        findings.extend(retyped);
        if !is_retyped {
            findings.extend(rewrite(seen, step, table));
            findings.extend(indexes(seen, step, table));
        }
        findings.extend(not_null(seen, step, table));
        findings.extend(constraints(seen, step, table));
        findings.extend(rows(seen, step, table));
    }
    findings.extend(renamed_views(seen, step));
    findings
        .into_iter()
        .map(|finding| finding.by(step.statement))
        .collect()
}

/// Whether a statement read a table, by itself or by one of its indexes.
fn was_read(step: Step<'_>, table: i64) -> bool {
    step.after.work_on(table).scans > step.before.work_on(table).scans
}

fn renames(seen: Seen<'_>, step: Step<'_>, table: i64) -> Vec<Finding> {
    let mut findings = vec![];
    let (was, is) = (step.before.name(table), step.after.name(table));
    if was != is {
        let message = format!("table {was} is called {is} now");
        findings.push(seen.finding(Code::TableRenamed, message).at(was));
    }
    for (number, column) in step.before.columns_of(table) {
        // One that this very migration has added is nobody's yet.
        let is_old = seen.before().columns.contains_key(&(table, number));
        let now = step.after.columns.get(&(table, number));
        if let Some(now) = now
            && is_old
            && now.name != column.name
        {
            let message = format!("column {was}.{} is called {} now", column.name, now.name);
            let finding = seen.finding(Code::ColumnRenamed, message);
            findings.push(finding.at(format!("{was}.{}", column.name)));
        }
    }
    findings
}

fn renamed_views(seen: Seen<'_>, step: Step<'_>) -> Vec<Finding> {
    let before = step.before.relations.iter();
    let views =
        before.filter(|(_, relation)| relation.kind == crate::check::snapshot::Relkind::View);
    let renamed = views.filter_map(|(number, was)| {
        let is = step.after.relations.get(number)?;
        let is_old = seen.before().relations.contains_key(number);
        (is_old && is.name != was.name).then(|| {
            let message = format!("view {} is called {} now", was.name, is.name);
            seen.finding(Code::TableRenamed, message).at(&was.name)
        })
    });
    renamed.collect()
}

fn retyped(seen: Seen<'_>, step: Step<'_>, table: i64) -> Vec<Finding> {
    let columns = step.before.columns_of(table);
    let retyped = columns.filter_map(|(number, was)| {
        let is = step.after.columns.get(&(table, number))?;
        let is_old = seen.before().columns.contains_key(&(table, number));
        (is_old && is.kind != was.kind).then(|| {
            let name = step.before.column_name(table, number);
            let cost = match is_rewritten(step, table) {
                true => ", and the table was written anew",
                false => "",
            };
            let message = format!("column {name} was {} and is {}{cost}", was.kind, is.kind);
            seen.finding(Code::ColumnTypeChanged, message).at(name)
        })
    });
    retyped.collect()
}

fn is_rewritten(step: Step<'_>, table: i64) -> bool {
    let file = |relations: &std::collections::BTreeMap<_, crate::check::snapshot::Relation>| {
        relations.get(&table).map(|relation| relation.file)
    };
    file(&step.before.relations) != file(&step.after.relations)
}

fn rewrite(seen: Seen<'_>, step: Step<'_>, table: i64) -> Option<Finding> {
    if !is_rewritten(step, table) {
        return None;
    }
    let name = step.after.name(table);
    if words(step.statement)
        .first()
        .is_some_and(|word| word == "truncate")
    {
        let message = format!("all rows of {name} are taken away");
        return Some(seen.finding(Code::RowsUnderLock, message).at(name));
    }
    let volatile = step.after.columns_of(table).find(|(number, column)| {
        let is_new = !step.before.columns.contains_key(&(table, *number));
        is_new && column.default.is_some() && !column.is_given
    });
    Some(match volatile {
        Some((number, column)) => {
            let column_name = step.after.column_name(table, number);
            let default = column.default.as_deref().unwrap_or_default();
            let message =
                format!("table {name} was written anew to give each row its own {default}");
            seen.finding(Code::VolatileDefault, message).at(column_name)
        }
        None => {
            let message = format!("table {name} was written anew");
            seen.finding(Code::TableRewritten, message).at(name)
        }
    })
}

fn indexes(seen: Seen<'_>, step: Step<'_>, table: i64) -> Vec<Finding> {
    let mut findings = vec![];
    for (number, index) in &step.after.indexes {
        let is_new = !step.before.indexes.contains_key(number);
        let name = step.after.name(*number);
        if index.table != table || !is_new || seen.is_built_beside(name) {
            continue;
        }
        let table_name = step.after.name(table);
        let of_constraint =
            step.after.constraints.values().find(|constraint| {
                constraint.index == *number && constraint.kind != Rule::ForeignKey
            });
        let (code, message) = match of_constraint {
            Some(constraint) => (
                Code::UniqueUnderLock,
                format!(
                    "constraint {} builds its index while nobody can use {table_name}",
                    constraint.name
                ),
            ),
            None => (
                Code::IndexUnderLock,
                format!("index {name} is built while writers of {table_name} wait"),
            ),
        };
        findings.push(seen.finding(code, message).at(name));
    }
    findings
}

fn not_null(seen: Seen<'_>, step: Step<'_>, table: i64) -> Vec<Finding> {
    if !was_read(step, table) {
        return vec![];
    }
    // A primary key makes its columns so, and has been found already.
    let keys: Vec<i16> = step
        .after
        .constraints
        .values()
        .filter(|one| one.table == table && one.kind == Rule::Primary)
        .flat_map(|one| one.key.iter().copied())
        .collect();
    let columns = step.before.columns_of(table);
    let strict = columns.filter_map(|(number, was)| {
        let is = step.after.columns.get(&(table, number))?;
        (is.is_not_null && !was.is_not_null && !keys.contains(&number)).then(|| {
            let name = step.after.column_name(table, number);
            let message = format!(
                "all of {} is read to see that {name} is never empty",
                step.after.name(table)
            );
            seen.finding(Code::NotNullUnderLock, message).at(name)
        })
    });
    strict.collect()
}

/// Rules that are proven on all rows while others wait. Validating one that was added NOT VALID
/// holds a lock that stops nobody, unless a stronger one is held already.
fn constraints(seen: Seen<'_>, step: Step<'_>, table: i64) -> Vec<Finding> {
    if !was_read(step, table) || !step.after.stops_writers_of(table) {
        return vec![];
    }
    let mut findings = vec![];
    for (number, constraint) in &step.after.constraints {
        let was_validated = step
            .before
            .constraints
            .get(number)
            .is_some_and(|was| was.is_validated);
        if constraint.table != table || was_validated || !constraint.is_validated {
            continue;
        }
        if was_there_by_name(step, constraint) {
            continue;
        }
        let (name, table_name) = (&constraint.name, step.after.name(table));
        let (code, message) = match constraint.kind {
            Rule::Check => (
                Code::CheckUnderLock,
                format!("all of {table_name} is read to prove {name} while others wait"),
            ),
            Rule::ForeignKey => (
                Code::ForeignKeyUnderLock,
                format!("all of {table_name} is read to prove {name} while writers wait"),
            ),
            _ => continue,
        };
        findings.push(seen.finding(code, message).at(name));
    }
    findings
}

/// A change of type makes constraints anew; that has been found already.
fn was_there_by_name(step: Step<'_>, constraint: &Constraint) -> bool {
    step.before
        .constraints
        .values()
        .any(|was| was.table == constraint.table && was.name == constraint.name && was.is_validated)
}

fn rows(seen: Seen<'_>, step: Step<'_>, table: i64) -> Option<Finding> {
    if let Way::Fill { .. } = seen.declared.way {
        return None;
    }
    let (was, is) = (step.before.work_on(table), step.after.work_on(table));
    let changed = is.changed - was.changed;
    let inserted = is.inserted - was.inserted;
    let reads = step
        .before
        .tables()
        .any(|(other, _)| seen.was_there(other) && was_read(step, other));
    let is_work = changed > FEW_ROWS
        || (changed > 0 && was_read(step, table))
        || inserted > FEW_ROWS && reads;
    // What Postgres does to write a table anew is found as that.
    if !is_work || is_rewritten(step, table) {
        return None;
    }
    let name = step.after.name(table);
    let message = format!(
        "{} rows of {name} are written in one transaction",
        changed + inserted
    );
    Some(seen.finding(Code::RowsUnderLock, message).at(name))
}
