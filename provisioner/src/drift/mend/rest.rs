//! Functions, types, views, triggers, rules and policies.

use super::{Line, Mending, Work, definition, own, quoted, table, tables};
use crate::fingerprint::{Facts, OWN, Object, ObjectKind, ObjectName};

/// Kinds that hang on a relation, as statements call them.
const HANGING: [(ObjectKind, &str); 3] = [
    (ObjectKind::Trigger, "TRIGGER"),
    (ObjectKind::Rule, "RULE"),
    (ObjectKind::Policy, "POLICY"),
];
const VIEWS: [(ObjectKind, &str); 2] = [
    (ObjectKind::View, "VIEW"),
    (ObjectKind::MaterializedView, "MATERIALIZED VIEW"),
];

/// Drops what should not be there or has to be made again, before anything it depends on.
pub(super) fn clear(work: &Work<'_>, to: &mut Mending) {
    for (kind, word) in HANGING {
        let extra = work.extra(kind).map(|one| &one.name);
        let changed = work.changed(kind).map(|one| one.name);
        for name in extra.chain(changed) {
            let (table, name) = (table(name), quoted(&name.name));
            let sql = format!("DROP {word} IF EXISTS {name} ON {table}");
            to.build.push(Line::Sql(sql));
        }
    }
    for (kind, word) in VIEWS {
        let extra = work.extra(kind).map(|one| &one.name);
        let changed = work
            .changed(kind)
            .filter(|one| is_redefined(one.is, one.should));
        for name in extra.chain(changed.map(|one| one.name)) {
            let sql = format!("DROP {word} IF EXISTS {}", own(&name.name));
            to.build.push(Line::Sql(sql));
        }
    }
}

fn is_redefined(is: &Facts, should: &Facts) -> bool {
    definition(is) != definition(should) || is.0.get("options") != should.0.get("options")
}

/// Makes types and functions, which columns may need.
pub(super) fn prepare(work: &Work<'_>, to: &mut Mending) {
    for one in work.missing(ObjectKind::Type) {
        to.build.push(create_type(one));
    }
    for one in work.changed(ObjectKind::Type) {
        to.build.push(Line::ByHand(format!(
            "{} should be {}",
            one.name,
            definition(one.should)
        )));
    }
    let missing = work
        .missing(ObjectKind::Function)
        .map(|one| (&one.name, &one.facts));
    let changed = work.changed(ObjectKind::Function);
    let changed = changed.filter(|one| definition(one.is) != definition(one.should));
    let functions: Vec<_> = missing
        .chain(changed.map(|one| (one.name, one.should)))
        .collect();
    if !functions.is_empty() {
        // What they speak of may come after them.
        to.build.push(Line::Sql(
            "SET LOCAL check_function_bodies = off".to_owned(),
        ));
    }
    for (_, facts) in functions {
        to.build.push(Line::Sql(definition(facts).to_owned()));
    }
}

fn create_type(one: &Object) -> Line {
    let word = match one.facts.text("sort") {
        Some("domain") => "DOMAIN",
        Some("enum" | "composite") => "TYPE",
        _ => return Line::ByHand(format!("make {}", one.name)),
    };
    let definition = definition(&one.facts);
    Line::Sql(format!(
        "CREATE {word} {} {definition}",
        own(&one.name.name)
    ))
}

/// Makes what needs tables, columns and indexes, and drops what nothing needs any more.
pub(super) fn bind(work: &Work<'_>, to: &mut Mending) {
    for (kind, word) in VIEWS {
        let missing = work.missing(kind).map(|one| (&one.name, &one.facts));
        let changed = work
            .changed(kind)
            .filter(|one| is_redefined(one.is, one.should));
        for (name, facts) in missing.chain(changed.map(|one| (one.name, one.should))) {
            let options = tables::options(facts);
            let options = options.map_or_else(String::new, |options| format!(" WITH ({options})"));
            let (name, definition) = (own(&name.name), definition(facts));
            let sql = format!("CREATE {word} {name}{options} AS {definition}");
            to.bind.push(Line::Sql(sql));
        }
    }
    for (kind, _) in HANGING {
        let missing = work.missing(kind).map(|one| (&one.name, &one.facts));
        let changed = work.changed(kind).map(|one| (one.name, one.should));
        for (name, facts) in missing.chain(changed) {
            hang(name, facts, to);
        }
    }
    for one in work.extra(ObjectKind::Function) {
        let word = one.facts.text("routine").unwrap_or("FUNCTION");
        let sql = format!("DROP {word} IF EXISTS {}", one.name.name);
        to.prove.push(Line::Sql(sql));
    }
    for one in work.extra(ObjectKind::Type) {
        let word = match one.facts.text("sort") {
            Some("domain") => "DOMAIN",
            _ => "TYPE",
        };
        let sql = format!("DROP {word} IF EXISTS {OWN}.{}", quoted(&one.name.name));
        to.prove.push(Line::Sql(sql));
    }
}

fn hang(name: &ObjectName, facts: &Facts, to: &mut Mending) {
    let (table, quoted) = (table(name), quoted(&name.name));
    let definition = definition(facts);
    let sql = match name.kind {
        ObjectKind::Policy => format!("CREATE POLICY {quoted} ON {table} {definition}"),
        _ => definition.to_owned(),
    };
    to.bind.push(Line::Sql(sql));
    if let Some(enabled) = facts.text("enabled") {
        let sql = format!("ALTER TABLE {table} {enabled} TRIGGER {quoted}");
        to.bind.push(Line::Sql(sql));
    }
}
