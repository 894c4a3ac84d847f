//! Rows for tables that nobody has described: of every type, within every rule, some full and some
//! nearly empty, and the same ones for the same seed. A migration shows what it does only where
//! there are rows.
//!
//! Values are proposed from a column's type and from what its rules say (a text, a bound, a
//! pattern), and the rules' own expressions are asked which they take, before a row is written.

mod candidates;
mod catalogue;
mod draw;
mod literals;
mod maker;
mod order;
mod pattern;
mod plan;
mod sift;
mod trial;
mod write;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait as _, DatabaseTransaction, DbErr};

use self::catalogue::{Table, quoted_name, tables};
use self::draw::Manner;
use self::order::parents_first;
use self::plan::Plan;
use self::trial::{Cell, Rule, passing};
use self::write::{is_accepted, single, write};
use crate::SchemaName;
use crate::query::one;

/// Rounds of making rows for one table; each makes more than are missing.
const MOST_ROUNDS: usize = 6;
/// Of a table that has enough rows and gained columns, one part in so many is added.
const PART_ADDED: usize = 5;
/// Numbers of probes' rows begin here, far above those of rows and within the smallest integers.
const PROBES_FROM: u64 = 20_000;
/// Rows that are drawn for a probe, of which the fullest are tried first.
const PROBE_ROWS: u64 = 64;
/// How many of them are tried.
const PROBE_TRIES: usize = 8;

/// What was made.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filled {
    /// Rows that are in all tables now.
    pub(crate) rows: u64,
    /// Tables that have none, and why no row could be made.
    pub(crate) empty: Vec<(String, String)>,
}

/// An INSERT that the build of this version could do: a complete statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Probe {
    pub(crate) table: String,
    pub(crate) insert: String,
}

/// What a table holds, and what it should.
struct Stock {
    rows: u64,
    goal: u64,
    /// Places of columns that are empty in every row.
    never_filled: Vec<usize>,
}

/// Brings every table of a schema to at least `wanted` rows; the transaction's search path leads
/// there. Tables that have enough and gained a column since get some more, so that it holds
/// values and stays empty. Constraints are immediate from here on: rows whose checks are still to
/// come would keep tables from being altered.
///
/// # Errors
///
/// Only what the connection itself says: a row that is refused is a reason in what is returned.
pub(crate) async fn fill(
    tx: &DatabaseTransaction,
    schema: &SchemaName,
    wanted: usize,
    seed: u64,
) -> Result<Filled, DbErr> {
    tx.execute_unprepared("SET CONSTRAINTS ALL IMMEDIATE")
        .await?;
    let tables = tables(tx, schema).await?;
    let order = parents_first(&tables);
    let mut stocks = vec![];
    for table in &tables {
        stocks.push(stock(tx, table, wanted).await?);
    }
    let mut reasons: BTreeMap<usize, String> = BTreeMap::new();
    // Tables that refer to what comes later, or to themselves, are half filled at first, without;
    // and what could not be made because another table was empty is tried again.
    for is_second in [false, true] {
        for placed in &order {
            let (table, stock) = (&tables[placed.table], &mut stocks[placed.table]);
            let goal = match (is_second, placed.is_early) {
                (false, true) => stock.goal.div_ceil(2),
                _ => stock.goal,
            };
            match bring_to(tx, table, stock, goal, seed).await? {
                Some(reason) => reasons.insert(placed.table, reason),
                None => reasons.remove(&placed.table),
            };
        }
    }
    let is_empty = |(at, _): &(usize, String)| stocks[*at].rows == 0;
    let empty = reasons.into_iter().filter(is_empty);
    Ok(Filled {
        rows: stocks.iter().map(|stock| stock.rows).sum(),
        empty: empty
            .map(|(at, why)| (tables[at].name.clone(), why))
            .collect(),
    })
}

/// Statements that are accepted now, for each table one that gives as little as there must be and
/// one that gives all it can. Each was tried and undone; their values are no row's.
///
/// # Errors
///
/// Only what the connection itself says: a table that takes no row has no probe.
pub(crate) async fn probes(
    tx: &DatabaseTransaction,
    schema: &SchemaName,
    seed: u64,
) -> Result<Vec<Probe>, DbErr> {
    tx.execute_unprepared("SET CONSTRAINTS ALL IMMEDIATE")
        .await?;
    let first = PROBES_FROM + seed % 8_000;
    let mut probes: Vec<Probe> = vec![];
    for table in &tables(tx, schema).await? {
        let Ok(plan) = Plan::make(tx, table, seed, first).await? else {
            continue;
        };
        for manner in [Manner::Least, Manner::Most] {
            let Some(insert) = probe(tx, &plan, first, &manner).await? else {
                continue;
            };
            if probes.iter().all(|probe| probe.insert != insert) {
                let table = table.name.clone();
                probes.push(Probe { table, insert });
            }
        }
    }
    Ok(probes)
}

async fn stock(tx: &DatabaseTransaction, table: &Table, wanted: usize) -> Result<Stock, DbErr> {
    let may_be_empty: Vec<usize> = (0..table.columns.len())
        .filter(|place| !table.columns[*place].not_null && !table.columns[*place].generated)
        .collect();
    let counted = may_be_empty
        .iter()
        .map(|place| format!("count({})", quoted_name(&table.columns[*place].name)));
    let counted: Vec<String> = ["count(*)".to_owned()].into_iter().chain(counted).collect();
    let name = quoted_name(&table.name);
    let sql = format!("SELECT ARRAY[{}] FROM {name}", counted.join(", "));
    let counts: Vec<i64> = match one(tx, &sql, []).await? {
        Some(row) => row.try_get_by_index(0)?,
        None => vec![],
    };
    let (rows, filled) = counts
        .split_first()
        .map_or((0, &[][..]), |(rows, rest)| (*rows, rest));
    let filled = may_be_empty.iter().zip(filled);
    let never = filled
        .filter(|(_, count)| **count == 0)
        .map(|(place, _)| *place);
    let never_filled: Vec<usize> = never.collect();
    let (rows, wanted) = (u64::try_from(rows).unwrap_or(0), wanted as u64);
    let goal = match rows {
        some if some < wanted => wanted,
        enough if never_filled.is_empty() => enough,
        enough => enough + wanted.div_ceil(PART_ADDED as u64),
    };
    Ok(Stock {
        rows,
        goal,
        never_filled,
    })
}

/// Makes rows until there are so many, and says what stood in the way where there are fewer.
async fn bring_to(
    tx: &DatabaseTransaction,
    table: &Table,
    stock: &mut Stock,
    goal: u64,
    seed: u64,
) -> Result<Option<String>, DbErr> {
    if stock.rows >= goal {
        return Ok(None);
    }
    let mut number = stock.rows + 1;
    let mut plan = match Plan::make(tx, table, seed, number).await? {
        Ok(plan) => plan,
        Err(reason) => return Ok(Some(reason)),
    };
    let mut reason = "its rules took none of the rows that were tried".to_owned();
    for _ in 0..MOST_ROUNDS {
        let is_first = plan.begins_with_itself();
        let missing = if is_first { 1 } else { goal - stock.rows };
        let most = number + missing * 3 + 8;
        let manner = Manner::Usual {
            favoured: stock.never_filled.clone(),
        };
        let drawn = (number..most).filter_map(|number| plan.row(number, &manner));
        let mut rows = accepted(tx, &plan, drawn.collect()).await?;
        rows.truncate(usize::try_from(missing).unwrap_or(usize::MAX));
        number = most;
        let written = write(tx, table, &rows).await?;
        stock.rows += written.rows;
        reason = written.refused.unwrap_or(reason);
        if stock.rows >= goal {
            return Ok(None);
        }
        if is_first && written.rows > 0 {
            plan = match Plan::make(tx, table, seed, number).await? {
                Ok(plan) => plan,
                Err(reason) => return Ok(Some(reason)),
            };
        }
    }
    Ok(Some(reason))
}

/// The rows that all rules take. A rule that can't be asked is left to the write itself.
async fn accepted(
    tx: &DatabaseTransaction,
    plan: &Plan<'_>,
    rows: Vec<Vec<Cell>>,
) -> Result<Vec<Vec<Cell>>, DbErr> {
    let table = plan.table;
    let columns = 0..table.columns.len();
    let places: Vec<usize> = columns
        .filter(|place| !table.columns[*place].generated)
        .collect();
    let bound: Vec<&Rule> = plan
        .rules
        .iter()
        .filter(|rule| rule.places.len() > 1)
        .collect();
    let all: Vec<&Rule> = plan.rules.iter().collect();
    let flags = match passing(tx, table, &places, &rows, &all).await? {
        Some(flags) => Some(flags),
        None => passing(tx, table, &places, &rows, &bound).await?,
    };
    let Some(flags) = flags else {
        return Ok(rows);
    };
    let judged = rows.into_iter().zip(flags);
    Ok(judged
        .filter(|(_, flag)| *flag)
        .map(|(row, _)| row)
        .collect())
}

async fn probe(
    tx: &DatabaseTransaction,
    plan: &Plan<'_>,
    first: u64,
    manner: &Manner,
) -> Result<Option<String>, DbErr> {
    let usual = Manner::Usual { favoured: vec![] };
    let drawn = (first..first + PROBE_ROWS).filter_map(|number| {
        let manner = if number % 4 == 3 { &usual } else { manner };
        plan.row(number, manner)
    });
    let mut rows = accepted(tx, plan, drawn.collect()).await?;
    let given = |row: &Vec<Cell>| row.iter().filter(|cell| is_text(cell)).count();
    rows.sort_by_key(given);
    if *manner == Manner::Most {
        rows.reverse();
    }
    for row in rows.iter().take(PROBE_TRIES) {
        let insert = single(plan.table, row, is_text);
        if is_accepted(tx, &insert).await? {
            return Ok(Some(insert));
        }
    }
    Ok(None)
}

fn is_text(cell: &Cell) -> bool {
    matches!(cell, Cell::Text(_))
}
