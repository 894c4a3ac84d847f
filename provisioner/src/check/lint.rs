//! What a migration did while others would have waited: read from what Postgres held and did after
//! each statement, never guessed from the statement's text where the catalogues know.

mod habits;
mod said;
mod under_lock;

use super::snapshot::{Relkind, Snapshot};
use super::stage::{Shot, Taken};
use super::{Code, Finding, HeldLock};
use crate::{Declared, Way};

/// More tables than this, locked exclusively by one transaction, are many.
const MANY_TABLES: usize = 8;

/// A migration that was watched.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen<'a> {
    pub(super) name: &'a str,
    pub(super) declared: &'a Declared,
    pub(super) taken: &'a Taken,
}

/// What one statement changed.
#[derive(Clone, Copy, Debug)]
struct Step<'a> {
    statement: &'a str,
    before: &'a Snapshot,
    after: &'a Snapshot,
}

impl<'a> Seen<'a> {
    pub(super) fn before(self) -> &'a Snapshot {
        &self.taken.before
    }

    /// How the schema looked when all was said.
    pub(super) fn after(self) -> &'a Snapshot {
        let last = self.taken.shots.last();
        last.map_or(&self.taken.before, |shot| &shot.after)
    }

    /// Whether a table was there, and so holds rows, when the migration began.
    pub(super) fn was_there(self, table: i64) -> bool {
        self.before().has_table(table)
    }

    fn steps(self) -> impl Iterator<Item = Step<'a>> {
        let befores = std::iter::once(&self.taken.before)
            .chain(self.taken.shots.iter().map(|shot| &shot.after));
        let step = |(shot, before): (&'a Shot, &'a Snapshot)| Step {
            statement: &shot.statement,
            before,
            after: &shot.after,
        };
        self.taken.shots.iter().zip(befores).map(step)
    }

    /// Whether an index is the one that is declared to be built beside traffic.
    fn is_built_beside(self, index: &str) -> bool {
        matches!(&self.declared.way, Way::Index { name, .. } if name == index)
    }

    fn finding(self, code: Code, message: impl Into<String>) -> Finding {
        Finding::new(code, message).of(self.name)
    }
}

/// All that is wrong with how a migration did what it did.
pub(super) fn look(seen: Seen<'_>) -> Vec<Finding> {
    let mut findings = said::look(seen);
    for step in seen.steps() {
        findings.extend(under_lock::look(seen, step));
    }
    findings.extend(many_tables(seen));
    findings.extend(habits::look(seen));
    findings
}

/// Locks that were held at the end on what was there before, strongest first.
pub(super) fn locks(seen: Seen<'_>) -> Vec<HeldLock> {
    let mut held = vec![];
    for (relation, mode) in &seen.after().locks {
        if !seen.before().relations.contains_key(relation) {
            continue;
        }
        let first = seen.steps().find(|step| {
            let had = step.before.locks.get(relation);
            had < Some(mode) && step.after.locks.get(relation) >= Some(mode)
        });
        held.push((
            *mode,
            HeldLock {
                relation: seen.before().name(*relation).to_owned(),
                mode: mode.name().to_owned(),
                statement: first.map_or_else(String::new, |step| step.statement.to_owned()),
            },
        ));
    }
    held.sort_by(|(a, x), (b, y)| b.cmp(a).then_with(|| x.relation.cmp(&y.relation)));
    held.into_iter().map(|(_, lock)| lock).collect()
}

fn many_tables(seen: Seen<'_>) -> Option<Finding> {
    let after = seen.after();
    let locked: Vec<&str> = seen
        .before()
        .relations
        .iter()
        .filter(|(_, relation)| relation.kind == Relkind::Table)
        .filter(|(number, _)| {
            let mode = after.locks.get(number);
            mode.is_some_and(|mode| *mode == super::snapshot::Mode::AccessExclusive)
        })
        .map(|(_, relation)| relation.name.as_str())
        .collect();
    (locked.len() > MANY_TABLES).then(|| {
        let message = format!(
            "holds exclusive locks on {} tables at once: {}",
            locked.len(),
            locked.join(", ")
        );
        seen.finding(Code::ManyTablesLocked, message)
    })
}
