//! Columns that are missing, too many, or different.

use super::{Both, Line, Mending, Work, definition, own, quoted, table};
use crate::fingerprint::{Facts, ObjectKind, ObjectName, column};

pub(super) fn build(work: &Work<'_>, to: &mut Mending) {
    for one in work.missing(ObjectKind::Column) {
        if !work.is_on_new(&one.name) {
            add(&one.name, &one.facts, to);
        }
    }
    let views: Vec<_> = [ObjectKind::View, ObjectKind::MaterializedView]
        .into_iter()
        .flat_map(|kind| work.changed(kind))
        .filter(|view| definition(view.is) != definition(view.should))
        .map(|view| Some(view.name.name.as_str()))
        .collect();
    for one in work.changed(ObjectKind::Column) {
        if !views.contains(&one.name.relation.as_deref()) {
            change(one, to);
        }
    }
    for one in work.extra(ObjectKind::Column) {
        if !views.contains(&one.name.relation.as_deref()) {
            let name = quoted(&one.name.name);
            let table = table(&one.name);
            let sql = format!("ALTER TABLE {table} DROP COLUMN {name}");
            to.build.push(Line::Destroys(sql));
        }
    }
}

/// Whether rows that are there already get a value.
fn fills_itself(facts: &Facts) -> bool {
    facts.text("default").is_some() || facts.text("identity").is_some()
}

fn add(name: &ObjectName, facts: &Facts, to: &mut Mending) {
    let (table, quoted) = (table(name), quoted(&name.name));
    let mut first = facts.clone();
    if !fills_itself(facts) {
        first.0.remove("not_null");
    }
    let definition = column(&first);
    let sql = format!("ALTER TABLE {table} ADD COLUMN {quoted} {definition}");
    to.build.push(Line::Sql(sql));
    if facts.says("not_null") && !fills_itself(facts) {
        not_null(&table, &quoted, to);
    }
}

fn not_null(table: &str, column: &str, to: &mut Mending) {
    let fill = format!("it fails where {column} is empty: fill those rows first");
    to.prove.push(Line::ByHand(fill));
    let sql = format!("ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL");
    to.prove.push(Line::Sql(sql));
}

fn change(one: Both<'_>, to: &mut Mending) {
    let (table, name) = (table(one.name), quoted(&one.name.name));
    let alter = format!("ALTER TABLE {table} ALTER COLUMN {name}");
    let (is, should) = (one.is, one.should);
    if is.says("generated") || should.says("generated") {
        return generated(one, &table, &name, to);
    }
    let has_other_type =
        is.text("type") != should.text("type") || is.text("collation") != should.text("collation");
    let has_other_default = is.text("default") != should.text("default");
    if has_other_type {
        retype(one, &alter, &name, to);
    }
    match should.text("default") {
        Some(expression) if has_other_default || has_other_type => {
            let sql = format!("{alter} SET DEFAULT {expression}");
            to.build.push(Line::Sql(sql));
        }
        None if has_other_default => to.build.push(Line::Sql(format!("{alter} DROP DEFAULT"))),
        _ => {}
    }
    let identity = (is.text("identity"), should.text("identity"));
    if let (Some(_), None) = identity {
        to.build.push(Line::Sql(format!("{alter} DROP IDENTITY")));
    }
    match (is.says("not_null"), should.says("not_null")) {
        (false, true) => not_null(&table, &name, to),
        (true, false) => to.build.push(Line::Sql(format!("{alter} DROP NOT NULL"))),
        _ => {}
    }
    match identity {
        (None, Some(how)) => {
            let sql = format!("{alter} ADD GENERATED {how} AS IDENTITY");
            to.prove.push(Line::Sql(sql));
            let sequence = format!(
                "SELECT setval(pg_get_serial_sequence('{}', '{}'), coalesce(max({name}), 0) + 1, \
                 false) FROM {table}",
                table.replace('\'', "''"),
                one.name.name.replace('\'', "''"),
            );
            to.prove.push(Line::Sql(sequence));
        }
        (Some(is), Some(how)) if is != how => {
            let sql = format!("{alter} SET GENERATED {how}");
            to.build.push(Line::Sql(sql));
        }
        _ => {}
    }
}

/// Another type rewrites the table, and may cut values off.
fn retype(one: Both<'_>, alter: &str, name: &str, to: &mut Mending) {
    let (was, kind) = (
        one.is.text("type").unwrap_or_default(),
        one.should.text("type").unwrap_or_default(),
    );
    if one.is.text("default").is_some() {
        to.build.push(Line::Sql(format!("{alter} DROP DEFAULT")));
    }
    let collation = one.should.text("collation");
    let collation = collation.map_or_else(String::new, |one| format!(" COLLATE {one}"));
    let sql = format!("{alter} TYPE {kind}{collation} USING {name}::{kind}");
    to.build.push(match keeps_all(was, kind) {
        true => Line::Sql(sql),
        false => Line::Destroys(sql),
    });
}

/// Whether every value of one type is one of the other.
fn keeps_all(was: &str, kind: &str) -> bool {
    let widths = ["smallint", "integer", "bigint", "numeric"];
    let width = |name: &str| widths.iter().position(|one| *one == name);
    match (width(was), width(kind)) {
        (Some(narrow), Some(wide)) => narrow <= wide,
        _ => was == kind || kind == "text",
    }
}

/// What a generated column holds can be had again; what stands where one should be can't.
fn generated(one: Both<'_>, table: &str, name: &str, to: &mut Mending) {
    let alter = format!("ALTER TABLE {table}");
    let drop = format!("{alter} DROP COLUMN {name}");
    let add = format!("{alter} ADD COLUMN {name} {}", column(one.should));
    match (one.is.says("generated"), one.should.says("generated")) {
        (true, false) => {
            let sql = format!("{alter} ALTER COLUMN {name} DROP EXPRESSION");
            to.build.push(Line::Sql(sql));
            to.build
                .push(Line::ByHand(format!("{name}: {}", column(one.should))));
        }
        (true, true) => {
            let warning = format!("what is built on {name} goes with it: run tubex drift after it");
            to.build.push(Line::ByHand(warning));
            to.build.push(Line::Sql(drop));
            to.build.push(Line::Sql(add));
        }
        (false, _) => {
            to.build.push(Line::Destroys(drop));
            to.build.push(Line::Destroys(add));
        }
    }
}

/// The columns of a table that is made anew.
pub(super) fn of_new_table(work: &Work<'_>, name: &str) -> String {
    let columns = work.missing(ObjectKind::Column);
    let columns = columns.filter(|one| one.name.relation.as_deref() == Some(name));
    let columns: Vec<_> = columns
        .map(|one| format!("    {} {}", quoted(&one.name.name), column(&one.facts)))
        .collect();
    format!("CREATE TABLE {} (\n{}\n)", own(name), columns.join(",\n"))
}
