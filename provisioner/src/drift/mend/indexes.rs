//! Indexes, built and dropped beside traffic.

use super::{Line, Mending, Work, definition, own};
use crate::fingerprint::{Facts, ObjectKind};

pub(super) fn build(work: &Work<'_>, to: &mut Mending) {
    for one in work.extra(ObjectKind::Index) {
        // With a constraint goes its index.
        if !Work::is_constraint(&work.extra, &one.name) {
            drop(&one.name.name, to);
        }
    }
    for one in work.changed(ObjectKind::Index) {
        let is_of_constraint = work.changed(ObjectKind::Constraint).any(|constraint| {
            constraint.name.name == one.name.name && constraint.name.relation == one.name.relation
        });
        if is_of_constraint {
            // Dropped and added with it.
            continue;
        }
        let is_only_invalid = definition(one.is) == definition(one.should);
        let is_unique = definition(one.is).starts_with("CREATE UNIQUE");
        if is_only_invalid && is_unique {
            // It may be a constraint's, and then it can't be dropped alone.
            to.beside.push(again(&one.name.name));
        } else {
            drop(&one.name.name, to);
            create(one.should, to);
        }
    }
    for one in work.missing(ObjectKind::Index) {
        // Of what is not unique no constraint can be made afterwards.
        let needs_no_index = Work::is_constraint(&work.missing, &one.name)
            && !definition(&one.facts).starts_with("CREATE UNIQUE");
        if !work.is_on_new(&one.name) && !needs_no_index {
            create(&one.facts, to);
        }
    }
}

fn create(facts: &Facts, to: &mut Mending) {
    let sql = beside_traffic(definition(facts));
    to.beside.push(Line::Sql(sql));
}

fn drop(name: &str, to: &mut Mending) {
    let sql = format!("DROP INDEX CONCURRENTLY IF EXISTS {}", own(name));
    to.beside.push(Line::Sql(sql));
}

fn again(name: &str) -> Line {
    Line::Sql(format!("REINDEX INDEX CONCURRENTLY {}", own(name)))
}

/// The statement that builds an index while others write.
fn beside_traffic(definition: &str) -> String {
    definition.replacen(" INDEX ", " INDEX CONCURRENTLY ", 1)
}

/// What builds an invalid index of a tenant again whose version nobody knows.
pub(in crate::drift) fn rebuild(name: &str, definition: &str) -> Vec<Line> {
    if definition.starts_with("CREATE UNIQUE") {
        return vec![again(name)];
    }
    let drop = format!("DROP INDEX CONCURRENTLY IF EXISTS {}", own(name));
    vec![Line::Sql(drop), Line::Sql(beside_traffic(definition))]
}
