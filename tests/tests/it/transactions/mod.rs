//! Nothing of one dealer's transaction is left to the next: role, path, plans, the transaction.

mod cancelled;
mod literals;
mod messages;
mod parting;
mod plans;
mod walls;

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};
use server::db::{TenantDb, TenantTx};
use tests::{Dealer, TestApp};

/// Whom a transaction acts as, and where it looks.
pub const WHO: &str = "SELECT current_user || '|' || current_setting('search_path')";

pub fn statement(sql: &str) -> Statement {
    Statement::from_string(DbBackend::Postgres, sql)
}

/// The one text that a query answers.
pub async fn text_of(tx: &TenantTx, sql: &str) -> Result<String, DbErr> {
    let row = tx.query_one_raw(statement(sql)).await?;
    row.expect("the query has a row").try_get_by_index(0)
}

pub async fn who(door: &TenantDb) -> String {
    let asked = door.read(async |tx| text_of(tx, WHO).await).await;
    asked.expect("the next borrower is served")
}

/// What [`WHO`] must say in a transaction of this dealer.
pub async fn themselves(app: &TestApp, dealer: &Dealer) -> String {
    let schema = app.database.schema_of(&dealer.slug).await;
    format!("{schema}|{schema}, shared, pg_temp")
}

fn sqlstate(error: &DbErr) -> String {
    let (DbErr::Exec(cause) | DbErr::Query(cause)) = error else {
        panic!("not an answer of the database: {error}");
    };
    let sea_orm::RuntimeErr::SqlxError(cause) = cause else {
        panic!("not an answer of the database: {error}");
    };
    let refusal = cause.as_database_error();
    let refusal = refusal.unwrap_or_else(|| panic!("not an answer of the database: {error}"));
    refusal.code().unwrap_or_default().into_owned()
}
