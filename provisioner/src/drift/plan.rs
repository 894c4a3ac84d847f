//! The plan: all that would mend a fleet, as a script for psql that nobody runs unread.

use std::fmt::Write as _;

use super::mend::{self, Line};
use super::{DriftGroup, Examined, Place};
use crate::fingerprint::OWN;

const HEADING: &str = "\
-- What would mend this fleet. Nothing of it was run.
--
-- Read it, and have psql run what you agree with: psql -f, as the owner of the schemas or as a
-- superuser, and not in one transaction. Every tenant has transactions of its own: one that fails
-- is undone, and the next tenant's turn comes. Afterwards run tubex drift again.
--
-- Lines that begin with \"-- destroys data:\" are off until somebody removes these words; lines that
-- begin with \"-- by hand:\" are not statements.
";

/// How long a statement may wait for a lock, and everybody behind it.
const PATIENCE: &str = "SET LOCAL lock_timeout = '5s'";

pub(super) fn write(examined: &Examined) -> String {
    let mut text = HEADING.to_owned();
    let groups = examined.groups();
    // The platform's own node first: psql is there already.
    let (own, others): (Vec<_>, Vec<_>) = examined
        .nodes
        .iter()
        .partition(|node| node.address.is_none());
    for node in own.into_iter().chain(others) {
        let section = of_node(examined, &groups, node);
        if !section.is_empty() {
            let _ = write!(text, "\n-- Node {}.\n", node.name);
            if let Some(address) = &node.address {
                let _ = writeln!(text, "\\connect -reuse-previous=on \"{address}\"");
            }
            text += &section;
        }
    }
    text
}

fn of_node(examined: &Examined, groups: &[DriftGroup<'_>], node: &Place) -> String {
    let mut text = String::new();
    for group in groups {
        of_group(group, node, &mut text);
    }
    for index in examined
        .invalid_indexes
        .iter()
        .filter(|one| one.node == node.name)
    {
        // Whoever differs is mended above, this index with the rest.
        let left = index
            .tenants
            .iter()
            .filter(|(slug, _)| !examined.drifted.iter().any(|one| one.slug == *slug));
        let left: Vec<_> = left.collect();
        if left.is_empty() {
            continue;
        }
        text.push('\n');
        let (name, table) = (&index.name, &index.table);
        let heading = format!(
            "{}: index {name} of {table} is invalid.",
            counted(left.len())
        );
        comment(&mut text, &heading);
        for (slug, schema) in left {
            comment(&mut text, slug);
            for line in mend::rebuild(&index.name, &index.definition) {
                text += &shown(&line, schema.as_str());
            }
        }
    }
    for one in examined
        .schema_missing
        .iter()
        .filter(|one| one.node == node.name)
    {
        comment(
            &mut text,
            &format!(
                "by hand: {} has no schema: restore it from an export",
                one.slug
            ),
        );
    }
    for one in examined.ahead.iter().filter(|one| one.node == node.name) {
        let (slug, version) = (&one.slug, &one.version);
        comment(
            &mut text,
            &format!("by hand: {slug} is at {version}, which this build doesn't know"),
        );
    }
    let says = |says: &Option<String>| match says {
        Some(says) => format!(" It says: {says}."),
        None => String::new(),
    };
    for one in examined
        .orphan_schemas
        .iter()
        .filter(|one| one.node == node.name)
    {
        let name = &one.name;
        comment(
            &mut text,
            &format!("Schema {name} is no tenant's.{}", says(&one.says)),
        );
        comment(
            &mut text,
            &format!("destroys data: DROP SCHEMA \"{name}\" CASCADE;"),
        );
    }
    for one in examined
        .orphan_roles
        .iter()
        .filter(|one| one.node == node.name)
    {
        let name = &one.name;
        comment(
            &mut text,
            &format!("Role {name} is no tenant's.{}", says(&one.says)),
        );
        comment(
            &mut text,
            &format!("destroys data: DROP OWNED BY \"{name}\"; DROP ROLE \"{name}\";"),
        );
    }
    text
}

fn of_group(group: &DriftGroup<'_>, node: &Place, text: &mut String) {
    let tenants = group.tenants.iter().filter(|one| one.node == node.name);
    let tenants: Vec<_> = tenants.collect();
    if tenants.is_empty() {
        return;
    }
    *text += "\n";
    comment(
        text,
        &format!("{} at {}:", counted(tenants.len()), group.version),
    );
    for line in group.difference.words() {
        comment(text, &format!("  {line}"));
    }
    let mending = mend::mend(group.difference);
    for tenant in tenants {
        let schema = tenant.schema.as_str();
        comment(text, &tenant.slug);
        transaction(text, &mending.build, schema, node);
        for line in &mending.beside {
            *text += &shown(line, schema);
        }
        transaction(text, &mending.bind, schema, node);
        for line in &mending.prove {
            match line {
                Line::ByHand(_) => *text += &shown(line, schema),
                statement => transaction(text, std::slice::from_ref(statement), schema, node),
            }
        }
    }
}

fn transaction(text: &mut String, lines: &[Line], schema: &str, node: &Place) {
    if lines.is_empty() {
        return;
    }
    let owner = node.owner.as_deref();
    let owner = owner.map_or_else(String::new, |owner| format!("SET LOCAL ROLE {owner};\n"));
    let _ = write!(
        text,
        "BEGIN;\n{PATIENCE};\n{owner}SET LOCAL search_path = {schema}, shared, pg_temp;\n"
    );
    for line in lines {
        *text += &shown(line, schema);
    }
    *text += "COMMIT;\n";
}

fn shown(line: &Line, schema: &str) -> String {
    let mut text = String::new();
    match line {
        Line::Sql(sql) => {
            let _ = writeln!(text, "{};", sql.replace(OWN, schema));
        }
        Line::Destroys(sql) => {
            let sql = sql.replace(OWN, schema);
            for part in format!("{sql};").lines() {
                comment(&mut text, &format!("destroys data: {part}"));
            }
        }
        Line::ByHand(what) => {
            comment(
                &mut text,
                &format!("by hand: {}", what.replace(OWN, schema)),
            );
        }
    }
    text
}

/// Text of others may have lines of its own; all of them must stay comments.
fn comment(to: &mut String, text: &str) {
    for line in text.split(['\n', '\r']) {
        let _ = writeln!(to, "-- {line}");
    }
}

fn counted(tenants: usize) -> String {
    match tenants {
        1 => "1 tenant".to_owned(),
        many => format!("{many} tenants"),
    }
}
