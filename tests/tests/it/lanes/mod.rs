//! Lanes keep physics bounded: who gets which connection, for how long, and what happens when a
//! dealer wants more than its share or moves to another lane.

mod fairness;
mod hygiene;
mod moves;

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};
use server::db::{TenantDb, TenantTx};
use tests::{Scratch, TestApp};

/// The one text that a query answers.
async fn text_of(tx: &TenantTx, sql: &str) -> Result<String, DbErr> {
    let statement = Statement::from_string(DbBackend::Postgres, sql);
    let row = tx.query_one_raw(statement).await?;
    row.expect("the query has a row").try_get_by_index(0)
}

/// The process behind the connection that a dealer gets now.
async fn backend(door: &TenantDb) -> String {
    let pid = "SELECT pg_backend_pid()::text";
    let asked = door.read(async |tx| text_of(tx, pid).await).await;
    asked.expect("the dealer is served")
}

/// A lane's login that may become the same dealers as the first one's: a second lane, empty.
async fn second_lane(app: &TestApp, capacity: u32) -> String {
    let capacity = capacity.to_string();
    let added = tests::tubex(
        &app.database.owner_url(),
        &["lane", "add", "--capacity", &capacity, "--json"],
        &[],
    );
    assert!(added.status.success(), "{added:?}");
    let added: serde_json::Value = serde_json::from_slice(&added.stdout).unwrap();
    added["login"].as_str().expect("its login role").to_owned()
}

/// A lane so wide that it is never what a dealer waits for.
async fn wide() -> Scratch {
    Scratch::with_lane_of(8).await
}
