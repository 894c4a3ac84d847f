//! Leaves, of the ways to fill a column, those that its type and the rules about it alone accept.

use std::collections::BTreeMap;

use sea_orm::{DatabaseTransaction, DbErr};

use super::candidates::is_doubtful;
use super::catalogue::{Table, quoted_name};
use super::maker::Maker;
use super::trial::{Cell, Rule, passing};

/// Values that are tried of each way, where no way as a whole is accepted.
const MOST_VALUES: u64 = 150;
/// How many of them are kept.
const MOST_KEPT: usize = 64;

/// The ways that are accepted for rows that are counted from `first`.
pub(super) async fn sifted(
    tx: &DatabaseTransaction,
    table: &Table,
    rules: &[Rule],
    place: usize,
    pool: &[Maker],
    first: u64,
) -> Result<Vec<Maker>, DbErr> {
    let alone = |rule: &&Rule| rule.places == [place];
    let rules: Vec<&Rule> = rules.iter().filter(alone).collect();
    if pool.is_empty() || (rules.is_empty() && !is_doubtful(&table.columns[place].kind)) {
        return Ok(pool.to_vec());
    }
    // A value that nothing looks at is never made, and so its type is never asked.
    let name = quoted_name(&table.columns[place].name);
    let is_made = Rule {
        expression: format!("{name}::text IS DISTINCT FROM 'nothing'"),
        places: vec![place],
    };
    let rules: Vec<&Rule> = rules.into_iter().chain([&is_made]).collect();
    let question = Question {
        table,
        place,
        rules,
    };
    let samples = [first, first + 1, first + 7];
    let cells: Vec<Cell> = pool
        .iter()
        .flat_map(|maker| samples.map(|number| sample(maker, number)))
        .collect();
    let flags = question.put(tx, &cells).await?;
    let judged = pool.iter().zip(flags.chunks(samples.len()));
    let accepted = |(maker, flags): &(&Maker, &[bool])| {
        **maker == Maker::Parent || flags.iter().all(|flag| *flag)
    };
    let mut kept: Vec<Maker> = judged
        .filter(accepted)
        .map(|(maker, _)| maker.clone())
        .collect();
    if kept.iter().all(|maker| *maker == Maker::Null) {
        kept.extend(question.single_values(tx, pool).await?);
    }
    Ok(kept)
}

/// What is asked about a column.
struct Question<'q> {
    table: &'q Table,
    place: usize,
    rules: Vec<&'q Rule>,
}

impl Question<'_> {
    /// Which values are accepted.
    async fn put(&self, tx: &DatabaseTransaction, cells: &[Cell]) -> Result<Vec<bool>, DbErr> {
        let rows: Vec<Vec<Cell>> = cells.iter().map(|cell| self.row(cell)).collect();
        match passing(tx, self.table, &[self.place], &rows, &self.rules).await? {
            Some(flags) => Ok(flags),
            None => self.put_one_by_one(tx, cells).await,
        }
    }

    /// Asks for each value alone, where one spoils the question for all.
    async fn put_one_by_one(
        &self,
        tx: &DatabaseTransaction,
        cells: &[Cell],
    ) -> Result<Vec<bool>, DbErr> {
        let mut answers: BTreeMap<String, bool> = BTreeMap::new();
        let mut flags = vec![];
        for cell in cells {
            let shown = format!("{cell:?}");
            let passes = match answers.get(&shown) {
                Some(passes) => *passes,
                None => {
                    let row = [self.row(cell)];
                    let flag = passing(tx, self.table, &[self.place], &row, &self.rules).await?;
                    flag.is_some_and(|flag| flag == [true])
                }
            };
            answers.insert(shown, passes);
            flags.push(passes);
        }
        Ok(flags)
    }

    /// Values that are accepted, each for itself, of ways that are not.
    async fn single_values(
        &self,
        tx: &DatabaseTransaction,
        pool: &[Maker],
    ) -> Result<Vec<Maker>, DbErr> {
        let mut kept = vec![];
        for maker in pool.iter().filter(|maker| maker.is_counted()) {
            let cells: Vec<Cell> = (0..MOST_VALUES)
                .map(|number| sample(maker, number))
                .collect();
            let rows: Vec<Vec<Cell>> = cells.iter().map(|cell| self.row(cell)).collect();
            let flags = passing(tx, self.table, &[self.place], &rows, &self.rules).await?;
            let judged = cells.into_iter().zip(flags.unwrap_or_default());
            kept.extend(judged.filter_map(|(cell, flag)| match cell {
                Cell::Text(text) if flag => Some(Maker::Fixed(text)),
                _ => None,
            }));
            if kept.len() >= MOST_KEPT {
                break;
            }
        }
        kept.truncate(MOST_KEPT);
        Ok(kept)
    }

    fn row(&self, cell: &Cell) -> Vec<Cell> {
        let mut row = vec![Cell::Null; self.table.columns.len()];
        row[self.place] = cell.clone();
        row
    }
}

fn sample(maker: &Maker, number: u64) -> Cell {
    match maker {
        Maker::Null | Maker::Parent => Cell::Null,
        Maker::Default => Cell::Default,
        Maker::Fixed(text) => Cell::Text(text.clone()),
        Maker::Counted(form) => Cell::Text(form.value(number)),
    }
}
