//! In which order tables are filled: those that are referred to come first, as far as that goes.

use super::catalogue::Table;

/// A table in its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Placed {
    /// Where it stands in the list of tables.
    pub(super) table: usize,
    /// It refers to itself or to a table that comes later.
    pub(super) is_early: bool,
}

/// Tables after those that they refer to. In a circle, one that can do without its reference for a
/// while begins.
pub(super) fn parents_first(tables: &[Table]) -> Vec<Placed> {
    let mut order: Vec<Placed> = vec![];
    while order.len() < tables.len() {
        let is_placed = |at: usize| order.iter().any(|placed| placed.table == at);
        let left: Vec<usize> = (0..tables.len()).filter(|at| !is_placed(*at)).collect();
        let waits = |at: usize, demand: Demand| {
            parents(tables, at, demand).any(|parent| parent != at && !is_placed(parent))
        };
        let ready = left.iter().find(|at| !waits(**at, Demand::Any));
        let can_begin = left.iter().find(|at| !waits(**at, Demand::Needed));
        let Some(table) = ready.or(can_begin).or(left.first()).copied() else {
            break;
        };
        let is_later = |parent: usize| !is_placed(parent);
        let is_early = parents(tables, table, Demand::Any).any(is_later);
        order.push(Placed { table, is_early });
    }
    order
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Demand {
    /// Whatever is referred to.
    Any,
    /// What no row can be without.
    Needed,
}

fn parents(tables: &[Table], at: usize, demand: Demand) -> impl Iterator<Item = usize> {
    let table = &tables[at];
    let counts = move |columns: &[i32]| {
        demand == Demand::Any
            || columns.iter().all(|number| {
                let place = table.place(*number);
                place.is_some_and(|place| table.columns[place].not_null)
            })
    };
    table
        .references
        .iter()
        .filter(move |reference| counts(&reference.columns))
        .filter_map(|one| tables.iter().position(|table| table.id == one.target))
}
