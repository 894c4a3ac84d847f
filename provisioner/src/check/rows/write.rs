//! Writing rows, many at once; where one is refused, the others are written without it.

use sea_orm::{ConnectionTrait as _, DatabaseTransaction, DbErr};

use super::catalogue::{Table, quoted_name, quoted_text};
use super::trial::Cell;
use crate::db_error::describe;
use crate::query::run;

/// Statements that are spent on the rows of one table at most, when rows are refused.
const MOST_STATEMENTS: usize = 60;

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub(super) rows: u64,
    /// Why a row was refused, if one was.
    pub(super) refused: Option<String>,
}

/// Writes rows. One that is like another where it must not be is passed over.
pub(super) async fn write(
    tx: &DatabaseTransaction,
    table: &Table,
    rows: &[Vec<Cell>],
) -> Result<Written, DbErr> {
    let mut written = Written::default();
    let mut waiting = vec![rows];
    let mut statements = 0;
    while let Some(rows) = waiting.pop() {
        if rows.is_empty() || statements == MOST_STATEMENTS {
            continue;
        }
        statements += 1;
        match tried(tx, &several(table, rows)).await? {
            Ok(count) => written.rows += count,
            Err(error) => {
                written.refused = Some(describe(&error));
                if rows.len() > 1 {
                    let (one, two) = rows.split_at(rows.len() / 2);
                    waiting.extend([two, one]);
                }
            }
        }
    }
    Ok(written)
}

/// Runs a statement and keeps what it did, unless it fails.
async fn tried(tx: &DatabaseTransaction, statement: &str) -> Result<Result<u64, DbErr>, DbErr> {
    tx.execute_unprepared("SAVEPOINT rows").await?;
    let outcome = run(tx, statement, []).await;
    let end = match outcome {
        Ok(_) => "RELEASE SAVEPOINT rows",
        Err(_) => "ROLLBACK TO SAVEPOINT rows; RELEASE SAVEPOINT rows",
    };
    tx.execute_unprepared(end).await?;
    Ok(outcome)
}

/// Whether a statement is accepted and writes a row, which is undone at once.
pub(super) async fn is_accepted(tx: &DatabaseTransaction, statement: &str) -> Result<bool, DbErr> {
    tx.execute_unprepared("SAVEPOINT probe").await?;
    let outcome = run(tx, statement, []).await;
    tx.execute_unprepared("ROLLBACK TO SAVEPOINT probe; RELEASE SAVEPOINT probe")
        .await?;
    Ok(outcome.is_ok_and(|rows| rows == 1))
}

fn several(table: &Table, rows: &[Vec<Cell>]) -> String {
    let is_given = |place: &usize| rows.iter().any(|row| row[*place] != Cell::Default);
    let places: Vec<usize> = writable(table).filter(is_given).collect();
    let passing_over = match table.keys.iter().all(|key| key.is_immediate) {
        true => " ON CONFLICT DO NOTHING",
        false => "",
    };
    let values = rows.iter().map(|row| {
        let cells = places.iter().map(|place| shown(&row[*place]));
        format!("({})", cells.collect::<Vec<_>>().join(", "))
    });
    let values: Vec<String> = values.collect();
    insert(table, &places, &values.join(", ")) + passing_over
}

/// A statement for one row, which names only columns that are given.
pub(super) fn single(table: &Table, row: &[Cell], is_given: impl Fn(&Cell) -> bool) -> String {
    let places: Vec<usize> = writable(table)
        .filter(|place| row[*place] != Cell::Default && is_given(&row[*place]))
        .collect();
    let cells: Vec<String> = places.iter().map(|place| shown(&row[*place])).collect();
    insert(table, &places, &format!("({})", cells.join(", ")))
}

fn insert(table: &Table, places: &[usize], values: &str) -> String {
    let name = quoted_name(&table.name);
    let Some(first) = writable(table).next() else {
        return format!("INSERT INTO {name} DEFAULT VALUES");
    };
    if places.is_empty() {
        let rows = values.matches("()").count();
        let values = vec!["(DEFAULT)"; rows].join(", ");
        let column = quoted_name(&table.columns[first].name);
        return format!("INSERT INTO {name} ({column}) VALUES {values}");
    }
    let names = places
        .iter()
        .map(|place| quoted_name(&table.columns[*place].name));
    let names: Vec<String> = names.collect();
    let is_numbered = places.iter().any(|place| table.columns[*place].identity);
    let overriding = if is_numbered {
        " OVERRIDING SYSTEM VALUE"
    } else {
        ""
    };
    format!(
        "INSERT INTO {name} ({}){overriding} VALUES {values}",
        names.join(", ")
    )
}

fn writable(table: &Table) -> impl Iterator<Item = usize> {
    let columns = table.columns.iter().enumerate();
    columns
        .filter(|(_, one)| !one.generated)
        .map(|(place, _)| place)
}

fn shown(cell: &Cell) -> String {
    match cell {
        Cell::Null => "NULL".to_owned(),
        Cell::Default => "DEFAULT".to_owned(),
        Cell::Text(text) => quoted_text(text),
    }
}
