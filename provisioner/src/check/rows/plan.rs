//! How the rows of one table are made: for each column ways that its rules accept, and for columns
//! that rules bind together ways that go with each other.

use std::collections::BTreeSet;

use sea_orm::{DatabaseTransaction, DbErr};

use super::candidates::candidates;
use super::catalogue::{Reference, Table, quoted_name};
use super::literals::Literals;
use super::maker::Maker;
use super::sift::sifted;
use super::trial::{Cell, Rule, passing, rules};
use crate::query::all;

/// Rows of a parent that are referred to.
const MOST_PARENTS: u64 = 200;
/// Combinations that are tried of columns that rules bind together.
const COMBINATIONS: u64 = 400;
/// Ways of a column that keeps rows apart.
const MOST_CARRIERS: usize = 3;

/// How the rows of one table are made.
#[derive(Debug)]
pub(super) struct Plan<'t> {
    pub(super) table: &'t Table,
    pub(super) seed: u64,
    /// The ways to fill each column; none for a computed one.
    pub(super) pools: Vec<Vec<Maker>>,
    /// Keys of the rows that each reference can lead to.
    pub(super) parents: Vec<Vec<Vec<String>>>,
    pub(super) parts: Vec<Part>,
    /// Columns that keep rows apart by going through all their combinations: how fast each turns
    /// is in the order of its list.
    pub(super) wheels: Vec<Vec<usize>>,
    pub(super) rules: Vec<Rule>,
}

/// Columns that rules bind together.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) places: Vec<usize>,
    /// Ways that go with each other, in the order of places.
    pub(super) recipes: Vec<Vec<usize>>,
}

impl<'t> Plan<'t> {
    /// Finds ways for rows that are counted from `first`. An error within says why there are none.
    pub(super) async fn make(
        tx: &DatabaseTransaction,
        table: &'t Table,
        seed: u64,
        first: u64,
    ) -> Result<Result<Self, String>, DbErr> {
        let mut parents = vec![];
        for reference in &table.references {
            parents.push(parent_keys(tx, reference).await?);
        }
        let mut plan = Self {
            table,
            seed,
            pools: vec![],
            parents,
            parts: vec![],
            wheels: vec![],
            rules: rules(table),
        };
        plan.pools = plan.all_candidates();
        if let Some(reason) = plan.missing_parent() {
            return Ok(Err(reason));
        }
        for place in 0..table.columns.len() {
            plan.pools[place] =
                sifted(tx, table, &plan.rules, place, &plan.pools[place], first).await?;
            if plan.pools[place].is_empty() && !table.columns[place].generated {
                let name = &table.columns[place].name;
                return Ok(Err(format!("no value was found for column {name:?}")));
            }
        }
        plan.keep_apart();
        plan.bind(tx, first).await?;
        Ok(Ok(plan))
    }

    /// Whether the first row has to refer to itself.
    pub(super) fn begins_with_itself(&self) -> bool {
        let is_own = |(at, reference): (usize, &Reference)| {
            let place = reference
                .columns
                .iter()
                .filter_map(|n| self.table.place(*n));
            reference.target == self.table.id
                && self.parents[at].is_empty()
                && place.clone().count() > 0
                && place.clone().all(|p| self.table.columns[p].not_null)
        };
        let mut references = self.table.references.iter().enumerate();
        references.any(is_own)
    }

    fn all_candidates(&self) -> Vec<Vec<Maker>> {
        let columns = self.table.columns.iter().enumerate();
        let mut pools: Vec<Vec<Maker>> = columns
            .map(|(place, column)| {
                if column.generated {
                    return vec![];
                }
                let mut literals = Literals::default();
                let about_it = self
                    .rules
                    .iter()
                    .filter(|rule| rule.places.contains(&place));
                about_it.for_each(|rule| literals.read(&rule.expression));
                candidates(column, &literals)
            })
            .collect();
        for (at, reference) in self.table.references.iter().enumerate() {
            for (part, number) in reference.columns.iter().enumerate() {
                let Some(place) = self.table.place(*number) else {
                    continue;
                };
                if self.table.columns[place].generated {
                    self.offer_keys(&mut pools, at, part, place);
                    continue;
                }
                pools[place].retain(|maker| *maker == Maker::Null);
                let is_own = reference.target == self.table.id && pools[place].is_empty();
                if is_own || !self.parents[at].is_empty() {
                    pools[place].push(Maker::Parent);
                }
            }
        }
        pools
    }

    /// A computed column that refers to another table: what it is computed from is offered the
    /// keys there.
    fn offer_keys(&self, pools: &mut [Vec<Maker>], at: usize, part: usize, place: usize) {
        for base in self.table.sources(&[self.table.columns[place].number]) {
            let number = self.table.columns[base].number;
            let refers = |one: &Reference| one.columns.contains(&number);
            if self.table.references.iter().any(refers) {
                continue;
            }
            pools[base].retain(|maker| *maker == Maker::Null);
            let keys = self.parents[at].iter().map(|key| key[part].clone());
            pools[base].extend(keys.map(Maker::Fixed));
        }
    }

    fn missing_parent(&self) -> Option<String> {
        let place = |number: &i32| self.table.place(*number);
        let stuck = |(at, reference): &(usize, &Reference)| {
            let mut places = reference.columns.iter().filter_map(place);
            self.parents[*at].is_empty()
                && places.all(|p| self.pools[p].is_empty() && !self.table.columns[p].generated)
        };
        let mut references = self.table.references.iter().enumerate();
        let (_, reference) = references.find(stuck)?;
        Some(format!(
            "each row needs one of {}, which has none ({})",
            reference.target_name, reference.name
        ))
    }

    /// Chooses what keeps rows apart, for each key: a column that is counted, or else all
    /// combinations of its columns, one after the other.
    fn keep_apart(&mut self) {
        let bound: BTreeSet<usize> = self.bound_places().into_iter().flatten().collect();
        let mut carriers: BTreeSet<usize> = BTreeSet::new();
        for key in &self.table.keys {
            let places = self.table.sources(&key.columns);
            let is_apart =
                |place: &usize| carriers.contains(place) || self.table.columns[*place].is_serial();
            if places.iter().any(is_apart) {
                continue;
            }
            let counts = |place: &&usize| self.pools[**place].iter().any(Maker::is_counted);
            let best = places
                .iter()
                .filter(counts)
                .min_by_key(|place| bound.contains(*place));
            let Some(carrier) = best.copied() else {
                self.wheels.push(places);
                continue;
            };
            carriers.insert(carrier);
            let pool = &mut self.pools[carrier];
            pool.retain(|maker| maker.is_counted() || *maker == Maker::Null);
            if !bound.contains(&carrier) {
                pool.truncate(MOST_CARRIERS);
            }
        }
    }

    /// The columns that rules bind together.
    fn bound_places(&self) -> Vec<Vec<usize>> {
        let mut parts: Vec<BTreeSet<usize>> = vec![];
        for rule in self.rules.iter().filter(|rule| rule.places.len() > 1) {
            let mut part: BTreeSet<usize> = rule.places.iter().copied().collect();
            parts.retain(|other| {
                let meets = !other.is_disjoint(&part);
                if meets {
                    part.extend(other);
                }
                !meets
            });
            parts.push(part);
        }
        parts
            .into_iter()
            .map(|part| part.into_iter().collect())
            .collect()
    }

    /// Finds ways that go with each other.
    async fn bind(&mut self, tx: &DatabaseTransaction, first: u64) -> Result<(), DbErr> {
        for places in self.bound_places() {
            let within = |rule: &&Rule| rule.places.iter().all(|one| places.contains(one));
            let rules: Vec<&Rule> = self.rules.iter().filter(within).collect();
            let drawn: Vec<(Vec<usize>, Vec<Cell>)> = (0..COMBINATIONS)
                .filter_map(|number| self.combination(&places, first + number % 50, number))
                .collect();
            let rows: Vec<Vec<Cell>> = drawn.iter().map(|(_, row)| row.clone()).collect();
            let flags = passing(tx, self.table, &places, &rows, &rules).await?;
            let flags = flags.unwrap_or_default();
            let good = drawn.into_iter().zip(flags).filter(|(_, flag)| *flag);
            let mut recipes: Vec<Vec<usize>> = good
                .map(|((choices, _), _)| places.iter().map(|place| choices[*place]).collect())
                .collect();
            recipes.sort_unstable();
            recipes.dedup();
            self.parts.push(Part { places, recipes });
        }
        Ok(())
    }
}

/// The keys that a reference can lead to, as texts.
async fn parent_keys(
    tx: &DatabaseTransaction,
    reference: &Reference,
) -> Result<Vec<Vec<String>>, DbErr> {
    let names: Vec<String> = reference
        .target_names
        .iter()
        .map(|name| quoted_name(name))
        .collect();
    let texts: Vec<String> = names.iter().map(|name| format!("{name}::text")).collect();
    let whole: Vec<String> = names
        .iter()
        .map(|name| format!("{name} IS NOT NULL"))
        .collect();
    let sql = format!(
        "SELECT DISTINCT ARRAY[{}] AS key FROM {} WHERE {} ORDER BY 1 LIMIT {MOST_PARENTS}",
        texts.join(", "),
        reference.target_name,
        whole.join(" AND "),
    );
    let rows = all(tx, &sql, []).await?;
    rows.iter().map(|row| row.try_get("", "key")).collect()
}
