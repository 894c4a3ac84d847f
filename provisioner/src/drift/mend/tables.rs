//! Tables, with what a new one needs at once, and sequences.

use serde_json::Value;

use super::{Both, Line, Mending, Work, columns, definition, own, quoted};
use crate::fingerprint::{Facts, ObjectKind};

pub(super) fn build(work: &Work<'_>, to: &mut Mending) {
    for one in work.missing(ObjectKind::Sequence) {
        if !one.facts.says("of_identity") {
            let options = one.facts.text("sequence").unwrap_or_default();
            let sql = format!("CREATE SEQUENCE {} {options}", own(&one.name.name));
            to.build.push(Line::Sql(sql));
            owned_by(&one.name.name, &one.facts, to);
        }
    }
    for one in work.missing(ObjectKind::Table) {
        create(work, &one.name.name, &one.facts, to);
    }
    for kind in [ObjectKind::PartitionedTable, ObjectKind::Relation] {
        for one in work.missing(kind) {
            to.build.push(Line::ByHand(format!("make {}", one.name)));
        }
    }
    for one in work.changed(ObjectKind::Table) {
        change(one, to);
    }
    for one in work.changed(ObjectKind::Sequence) {
        change_sequence(one, to);
    }
}

fn create(work: &Work<'_>, name: &str, facts: &Facts, to: &mut Mending) {
    if facts.0.contains_key("bound") || facts.0.contains_key("parents") {
        to.build.push(Line::ByHand(format!(
            "make table {name}, which is a part of another"
        )));
        return;
    }
    to.build.push(Line::ByHand(format!(
        "the rows of table {name} are not here: bring them back from an export"
    )));
    let mut sql = columns::of_new_table(work, name);
    if facts.text("persistence") == Some("unlogged") {
        sql = sql.replacen("CREATE TABLE", "CREATE UNLOGGED TABLE", 1);
    }
    if let Some(options) = options(facts) {
        sql += &format!(" WITH ({options})");
    }
    to.build.push(Line::Sql(sql));
    // An index is built while others wait, and nobody waits for an empty table.
    for one in work.missing(ObjectKind::Index) {
        let is_own = one.name.relation.as_deref() == Some(name);
        if is_own && !Work::is_constraint(&work.missing, &one.name) {
            to.build.push(Line::Sql(definition(&one.facts).to_owned()));
        }
    }
    for one in work.missing(ObjectKind::Constraint) {
        let is_own = one.name.relation.as_deref() == Some(name);
        if is_own && one.facts.text("type") != Some("f") {
            let (table, name) = (own(name), quoted(&one.name.name));
            let definition = definition(&one.facts);
            let sql = format!("ALTER TABLE {table} ADD CONSTRAINT {name} {definition}");
            to.build.push(Line::Sql(sql));
        }
    }
    security(name, &Facts::default(), facts, to);
}

fn change(one: Both<'_>, to: &mut Mending) {
    let name = &one.name.name;
    let alter = format!("ALTER TABLE {}", own(name));
    let (is, should) = (one.is, one.should);
    match (is.text("persistence"), should.text("persistence")) {
        (Some("unlogged"), None) => to.build.push(Line::Sql(format!("{alter} SET LOGGED"))),
        (None, Some("unlogged")) => to.build.push(Line::Sql(format!("{alter} SET UNLOGGED"))),
        _ => {}
    }
    if options(is) != options(should) {
        let reset = names_of_options(is);
        if !reset.is_empty() {
            to.build.push(Line::Sql(format!("{alter} RESET ({reset})")));
        }
        if let Some(options) = options(should) {
            to.build.push(Line::Sql(format!("{alter} SET ({options})")));
        }
    }
    if is.text("owner") != should.text("owner") {
        to.build.push(Line::ByHand(format!(
            "give table {name} to the owner of the schema, as a superuser"
        )));
    }
    for fact in ["bound", "parents"] {
        if is.0.get(fact) != should.0.get(fact) {
            to.build.push(Line::ByHand(format!(
                "table {name} is a part of another table"
            )));
        }
    }
    security(name, is, should, to);
}

fn security(name: &str, is: &Facts, should: &Facts, to: &mut Mending) {
    let mut set = |fact: &str, on: &str, off: &str| {
        let word = match (is.says(fact), should.says(fact)) {
            (false, true) => on,
            (true, false) => off,
            _ => return,
        };
        let sql = format!("ALTER TABLE {} {word} ROW LEVEL SECURITY", own(name));
        to.build.push(Line::Sql(sql));
    };
    set("row_security", "ENABLE", "DISABLE");
    set("force_row_security", "FORCE", "NO FORCE");
}

fn change_sequence(one: Both<'_>, to: &mut Mending) {
    let name = own(&one.name.name);
    if one.is.text("sequence") != one.should.text("sequence") {
        let options = one.should.text("sequence").unwrap_or_default();
        let cycle = match options.ends_with(" CYCLE") {
            true => "",
            false => " NO CYCLE",
        };
        to.build
            .push(Line::Sql(format!("ALTER SEQUENCE {name} {options}{cycle}")));
    }
    if one.is.text("owned_by") != one.should.text("owned_by") {
        owned_by(&one.name.name, one.should, to);
    }
}

fn owned_by(name: &str, facts: &Facts, to: &mut Mending) {
    let column = match facts.text("owned_by") {
        Some(column) => format!("{}.{column}", crate::fingerprint::OWN),
        None => "NONE".to_owned(),
    };
    let sql = format!("ALTER SEQUENCE {} OWNED BY {column}", own(name));
    to.bind.push(Line::Sql(sql));
}

/// Tables and sequences that should not be there; last, when nothing needs them any more.
pub(super) fn remove(work: &Work<'_>, to: &mut Mending) {
    for (kind, word) in [
        (ObjectKind::Table, "TABLE"),
        (ObjectKind::PartitionedTable, "TABLE"),
        (ObjectKind::Sequence, "SEQUENCE"),
    ] {
        for one in work.extra(kind) {
            if !one.facts.says("of_identity") {
                let sql = format!("DROP {word} IF EXISTS {}", own(&one.name.name));
                to.build.push(Line::Destroys(sql));
            }
        }
    }
    for one in work.extra(ObjectKind::Relation) {
        to.build.push(Line::ByHand(format!("drop {}", one.name)));
    }
}

fn all_options(facts: &Facts) -> impl Iterator<Item = (&str, &str)> {
    let options = facts.0.get("options").and_then(Value::as_array);
    let options = options.into_iter().flatten().filter_map(Value::as_str);
    options.filter_map(|option| option.split_once('='))
}

/// What stands between the brackets of WITH.
pub(super) fn options(facts: &Facts) -> Option<String> {
    let options = all_options(facts);
    let options = options.map(|(name, value)| format!("{name} = '{}'", value.replace('\'', "''")));
    let options: Vec<_> = options.collect();
    (!options.is_empty()).then(|| options.join(", "))
}

fn names_of_options(facts: &Facts) -> String {
    let names: Vec<_> = all_options(facts).map(|(name, _)| name).collect();
    names.join(", ")
}
