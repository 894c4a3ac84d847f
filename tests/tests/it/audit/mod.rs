//! The trail: one record for every write, kept, chained, found, and seen by those who may.

mod acts;
mod kept;
mod operators;
mod people;
mod reading;
mod verify;
mod walk;

use serde_json::Value;
use sqlx::AssertSqlSafe;
use tests::{Dealer, TestApp};

/// All records of a dealer in their order, as they are stored.
async fn records(app: &TestApp, dealer: &Dealer) -> Vec<Value> {
    let schema = app.database.schema_of(&dealer.slug).await;
    let sql = format!("SELECT content::text FROM {schema}.audit_record ORDER BY seq");
    let texts: Vec<String> = sqlx::query_scalar(AssertSqlSafe(sql))
        .fetch_all(&mut app.database.connect_to_home_of(&dealer.slug).await)
        .await
        .unwrap();
    let read = |text: &String| serde_json::from_str(text).unwrap();
    texts.iter().map(read).collect()
}

/// The id of whoever is signed in.
async fn id_of(who: &tests::Actor) -> String {
    let me = who.get("/me").await.expect(200);
    me.json["id"].as_str().unwrap().to_owned()
}
