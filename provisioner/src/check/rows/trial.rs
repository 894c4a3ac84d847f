//! Asking the database which rows its rules would take, many at once, without writing any: the
//! rules' own expressions are put to a list of values.

use sea_orm::{ConnectionTrait as _, DatabaseTransaction, DbErr};

use super::catalogue::{Table, quoted_name, quoted_text};
use crate::query::column;

/// What stands in one column of a row to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cell {
    Null,
    Default,
    Text(String),
}

/// A rule of a table and the places of the columns it is about.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) expression: String,
    pub(super) places: Vec<usize>,
}

/// All rules of a table, those of its columns' domains among them.
pub(super) fn rules(table: &Table) -> Vec<Rule> {
    let checks = table.checks.iter().map(|check| Rule {
        expression: check.expression.clone(),
        places: table.sources(&check.columns),
    });
    let of_domains = table.columns.iter().enumerate().flat_map(|(place, one)| {
        one.domain_rules().into_iter().map(move |expression| Rule {
            expression,
            places: vec![place],
        })
    });
    checks.chain(of_domains).collect()
}

/// Which of the rows no rule refuses. Nothing, if the question itself failed, as it does where a
/// type doesn't take a value.
pub(super) async fn passing(
    tx: &DatabaseTransaction,
    table: &Table,
    places: &[usize],
    rows: &[Vec<Cell>],
    rules: &[&Rule],
) -> Result<Option<Vec<bool>>, DbErr> {
    if rows.is_empty() {
        return Ok(Some(vec![]));
    }
    let sql = question(table, places, rows, rules);
    tx.execute_unprepared("SAVEPOINT trial").await?;
    let answer: Result<Vec<i32>, DbErr> = column(tx, &sql, []).await;
    let end = match answer {
        Ok(_) => "RELEASE SAVEPOINT trial",
        Err(_) => "ROLLBACK TO SAVEPOINT trial; RELEASE SAVEPOINT trial",
    };
    tx.execute_unprepared(end).await?;
    let Ok(passed) = answer else {
        return Ok(None);
    };
    let mut flags = vec![false; rows.len()];
    for at in passed {
        if let Some(flag) = usize::try_from(at).ok().and_then(|at| flags.get_mut(at)) {
            *flag = true;
        }
    }
    Ok(Some(flags))
}

fn question(table: &Table, places: &[usize], rows: &[Vec<Cell>], rules: &[&Rule]) -> String {
    let values: Vec<String> = rows
        .iter()
        .enumerate()
        .map(|(at, row)| {
            let cells = places.iter().map(|place| shown(table, *place, at, row));
            let cells: Vec<String> = [at.to_string()].into_iter().chain(cells).collect();
            format!("({})", cells.join(", "))
        })
        .collect();
    let plain: Vec<String> = places.iter().map(|place| format!("c{place}")).collect();
    let plain = [vec!["row".to_owned()], plain].concat().join(", ");
    let typed = places.iter().map(|place| {
        let column = &table.columns[*place];
        let name = quoted_name(&column.name);
        format!(", CAST(c{place} AS {}) AS {name}", column.kind.text)
    });
    let typed: String = typed.collect();
    let computed: String = table
        .columns
        .iter()
        .filter(|one| one.generated && has_all(table, &one.bases, places))
        .filter_map(|one| {
            let expression = one.expression.as_ref()?;
            Some(format!(", ({expression}) AS {}", quoted_name(&one.name)))
        })
        .collect();
    let rules = rules.iter().map(|rule| rule.expression.as_str());
    let rules: Vec<String> = rules
        .map(|rule| format!("({rule}) IS NOT FALSE"))
        .chain(["TRUE".to_owned()])
        .collect();
    format!(
        "SELECT row FROM (SELECT typed.*{computed} FROM (SELECT row{typed}
             FROM (VALUES {}) plain ({plain}) OFFSET 0) typed) {}
         WHERE {}",
        values.join(", "),
        quoted_name(&table.name),
        rules.join(" AND "),
    )
}

fn has_all(table: &Table, numbers: &[i32], places: &[usize]) -> bool {
    let mut wanted = numbers.iter().map(|number| table.place(*number));
    wanted.all(|place| place.is_some_and(|place| places.contains(&place)))
}

fn shown(table: &Table, place: usize, at: usize, row: &[Cell]) -> String {
    match &row[place] {
        Cell::Null => "NULL::text".to_owned(),
        Cell::Text(text) => format!("{}::text", quoted_text(text)),
        Cell::Default => {
            let column = &table.columns[place];
            match column.default() {
                Some(default) if !column.is_serial() => format!("({default})::text"),
                // A number that no sequence has given yet.
                _ => format!("'{}'::text", 1_000_000 + at),
            }
        }
    }
}
