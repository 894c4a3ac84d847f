//! Statements written by hand, for what entities can't say: locks, catalogues, counts beside rows.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, Statement, TryGetable, Value};

/// The first row, if there is one.
pub(crate) async fn one<const N: usize>(
    db: &impl ConnectionTrait,
    sql: &str,
    values: [Value; N],
) -> Result<Option<QueryResult>, DbErr> {
    db.query_one_raw(statement(sql, values)).await
}

/// All rows.
pub(crate) async fn all<const N: usize>(
    db: &impl ConnectionTrait,
    sql: &str,
    values: [Value; N],
) -> Result<Vec<QueryResult>, DbErr> {
    db.query_all_raw(statement(sql, values)).await
}

/// The first column of all rows.
pub(crate) async fn column<T: TryGetable, const N: usize>(
    db: &impl ConnectionTrait,
    sql: &str,
    values: [Value; N],
) -> Result<Vec<T>, DbErr> {
    let rows = all(db, sql, values).await?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}

/// Runs a statement, and says how many rows it touched.
pub(crate) async fn run<const N: usize>(
    db: &impl ConnectionTrait,
    sql: &str,
    values: [Value; N],
) -> Result<u64, DbErr> {
    Ok(db
        .execute_raw(statement(sql, values))
        .await?
        .rows_affected())
}

fn statement<const N: usize>(sql: &str, values: [Value; N]) -> Statement {
    Statement::from_sql_and_values(DbBackend::Postgres, sql, values)
}
