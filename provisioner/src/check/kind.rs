//! Whether a migration is what it says: an expand breaks nothing of the build before it, a contract
//! takes something away and says since when nobody needs it.

mod rights;

use sea_orm::{ConnectionTrait as _, DatabaseTransaction, DbErr};

use super::lint::Seen;
use super::rows::Probe;
use super::snapshot::{Relkind, Rule, Snapshot};
use super::{Code, Finding};
use crate::{Kind, db_error};

/// What a migration takes from the build before it, from the structure alone.
fn taken_away(seen: Seen<'_>) -> Vec<Finding> {
    let mut findings = vec![];
    findings.extend(dropped_relations(seen));
    for (table, _) in seen.before().tables() {
        if seen.after().has_table(table) {
            findings.extend(columns(seen, table));
        }
    }
    findings.extend(dropped_indexes(seen));
    findings.extend(new_rules(seen));
    findings.extend(rights::revoked(seen));
    findings
}

/// All that is wrong with what a migration says of itself. `broken` is what the build before it
/// can't do any more, see [`try_probes`].
pub(super) fn look(seen: Seen<'_>, broken: Vec<Finding>) -> Vec<Finding> {
    let mut taken = taken_away(seen);
    let renamed = renamed(seen);
    // A row that is refused for a reason that has been found says nothing new.
    let is_new = |finding: &Finding| {
        let of = |found: &Finding| found.object.as_deref().unwrap_or_default().to_owned();
        let table = of(finding);
        let explains = |found: &Finding| {
            let object = of(found);
            object == table || object.starts_with(&format!("{table}."))
        };
        !taken.iter().any(explains) && !renamed.contains(&table)
    };
    let broken: Vec<_> = broken.into_iter().filter(is_new).collect();
    taken.extend(broken);
    match seen.declared.kind {
        Kind::Expand => taken,
        Kind::Contract { .. } if taken.is_empty() && renamed.is_empty() => {
            let message = "is declared a contract, and takes nothing away";
            vec![Finding::new(Code::ContractNeedless, message).of(seen.name)]
        }
        Kind::Contract { .. } => vec![],
    }
}

/// What a contract must name: a migration before it.
pub(super) fn contract_since(name: &str, kind: &Kind, earlier: &[String]) -> Option<Finding> {
    let Kind::Contract { since } = kind else {
        return None;
    };
    (!earlier.contains(since)).then(|| {
        let message = format!("names {since:?}, which is no earlier migration");
        Finding::new(Code::ContractSince, message).of(name)
    })
}

fn finding(seen: Seen<'_>, code: Code, message: String) -> Finding {
    Finding::new(code, message).of(seen.name)
}

/// Tables and views of which a name or a type has changed, by their old names; that is found
/// elsewhere.
fn renamed(seen: Seen<'_>) -> Vec<String> {
    let (before, after) = (seen.before(), seen.after());
    let relations = before.relations.iter().filter(|(number, was)| {
        let is = after.relations.get(number);
        was.kind != Relkind::Index && is.is_some_and(|is| is.name != was.name)
    });
    let columns = before.columns.iter().filter(|(place, was)| {
        let is = after.columns.get(place);
        is.is_some_and(|is| is.name != was.name || is.kind != was.kind)
    });
    let of_relations = relations.map(|(number, _)| *number);
    let of_columns = columns.map(|((table, _), _)| *table);
    let all = of_relations.chain(of_columns);
    all.map(|number| before.name(number).to_owned()).collect()
}

fn dropped_relations(seen: Seen<'_>) -> Vec<Finding> {
    let (before, after) = (seen.before(), seen.after());
    let mut findings = vec![];
    for (number, was) in &before.relations {
        let word = match was.kind {
            Relkind::Table => "table",
            Relkind::View => "view",
            Relkind::Index | Relkind::Other => continue,
        };
        // A view that is made anew is asked for its columns by a probe.
        let is_back = after
            .relations
            .values()
            .any(|is| is.name == was.name && is.kind == was.kind && is.kind == Relkind::View);
        if !after.relations.contains_key(number) && !is_back {
            let message = format!("{word} {} is gone", was.name);
            findings.push(finding(seen, Code::TableDropped, message).at(&was.name));
        }
    }
    findings
}

fn columns(seen: Seen<'_>, table: i64) -> Vec<Finding> {
    let (before, after) = (seen.before(), seen.after());
    let mut findings = vec![];
    for (number, was) in before.columns_of(table) {
        let name = before.column_name(table, number);
        let Some(is) = after.columns.get(&(table, number)) else {
            let message = format!("column {name} is gone");
            findings.push(finding(seen, Code::ColumnDropped, message).at(name));
            continue;
        };
        if is.is_not_null && !was.is_not_null {
            let message = format!("column {name} may not be empty any more");
            findings.push(finding(seen, Code::NotNullAdded, message).at(&name));
        }
        if was.default.is_some() && is.default.is_none() && !is.is_given {
            let message = format!("column {name} has no default any more");
            findings.push(finding(seen, Code::DefaultDropped, message).at(&name));
        }
    }
    for (number, is) in after.columns_of(table) {
        let is_new = !before.columns.contains_key(&(table, number));
        if is_new && is.is_not_null && is.default.is_none() && !is.is_given {
            let name = after.column_name(table, number);
            let message = format!("column {name} must be given, and the build before it can't");
            findings.push(finding(seen, Code::RequiredColumn, message).at(name));
        }
    }
    findings
}

/// Indexes that are gone, while their table and columns are still there.
fn dropped_indexes(seen: Seen<'_>) -> Vec<Finding> {
    let (before, after) = (seen.before(), seen.after());
    let mut findings = vec![];
    for (number, was) in &before.indexes {
        let lives = after.has_table(was.table)
            && was
                .key
                .iter()
                .all(|column| *column == 0 || after.columns.contains_key(&(was.table, *column)));
        let name = before.name(*number);
        // Made anew by a change of type, or moved to another definition under its old name.
        let is_back = after
            .indexes
            .keys()
            .any(|other| after.name(*other) == name || other == number);
        if lives && !is_back {
            let message = format!("index {name} of {} is gone", before.name(was.table));
            findings.push(finding(seen, Code::IndexDropped, message).at(name));
        }
    }
    findings
}

/// Rules on columns that the build before it writes.
fn new_rules(seen: Seen<'_>) -> Vec<Finding> {
    let (before, after) = (seen.before(), seen.after());
    let writes = |table: i64, key: &[i16]| {
        before.has_table(table)
            && key
                .iter()
                .any(|number| before.columns.contains_key(&(table, *number)))
    };
    let mut findings = vec![];
    let mut behind = vec![];
    for (number, constraint) in &after.constraints {
        behind.push(constraint.index);
        let was_there = before.constraints.contains_key(number)
            || before
                .constraints
                .values()
                .any(|was| was.table == constraint.table && was.name == constraint.name);
        // One on an index that was unique before demands nothing new.
        let is_only_named = before
            .indexes
            .get(&constraint.index)
            .is_some_and(|index| index.is_unique)
            && constraint.kind != Rule::ForeignKey;
        let demands = constraint.kind != Rule::Other;
        if !was_there && !is_only_named && demands && writes(constraint.table, &constraint.key) {
            let (name, table) = (&constraint.name, after.name(constraint.table));
            let message =
                format!("rule {name} of {table} may refuse what the build before it writes");
            findings
                .push(finding(seen, Code::ConstraintAdded, message).at(format!("{table}.{name}")));
        }
    }
    for (number, index) in &after.indexes {
        let is_new = !before.indexes.contains_key(number)
            && !before
                .indexes
                .keys()
                .any(|was| before.name(*was) == after.name(*number));
        if is_new && index.is_unique && !behind.contains(number) && writes(index.table, &index.key)
        {
            let (name, table) = (after.name(*number), after.name(index.table));
            let message = format!(
                "unique index {name} of {table} may refuse what the build before it writes"
            );
            findings
                .push(finding(seen, Code::ConstraintAdded, message).at(format!("{table}.{name}")));
        }
    }
    findings
}

/// Reads what the build before it reads and writes what it writes, each undone.
pub(super) async fn try_probes(
    tx: &DatabaseTransaction,
    name: &str,
    before: &Snapshot,
    probes: &[Probe],
) -> Result<Vec<Finding>, DbErr> {
    let mut findings = vec![];
    for (number, relation) in &before.relations {
        if !matches!(relation.kind, Relkind::Table | Relkind::View) {
            continue;
        }
        let columns: Vec<String> = before
            .columns_of(*number)
            .map(|(_, column)| quoted(&column.name))
            .collect();
        let read = format!(
            "SELECT {} FROM {} LIMIT 1",
            columns.join(", "),
            quoted(&relation.name)
        );
        if let Some(refusal) = attempt(tx, &read).await? {
            let message = format!("{} can't be read as before: {refusal}", relation.name);
            let finding = Finding::new(Code::ReaderBreaks, message).of(name);
            findings.push(finding.at(&relation.name).by(&read));
        }
    }
    for probe in probes {
        if let Some(refusal) = attempt(tx, &probe.insert).await? {
            let message = format!("{} refuses a row as before: {refusal}", probe.table);
            let finding = Finding::new(Code::WriterBreaks, message).of(name);
            findings.push(finding.at(&probe.table).by(&probe.insert));
        }
    }
    findings.dedup_by(|a, b| a.code == b.code && a.object == b.object);
    Ok(findings)
}

/// What the database says against a statement, which is undone in any case.
async fn attempt(tx: &DatabaseTransaction, sql: &str) -> Result<Option<String>, DbErr> {
    tx.execute_unprepared("SAVEPOINT probe").await?;
    let refusal = tx.execute_unprepared(sql).await.err();
    tx.execute_unprepared("ROLLBACK TO SAVEPOINT probe; RELEASE SAVEPOINT probe")
        .await?;
    Ok(refusal.map(|error| db_error::describe(&error)))
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
