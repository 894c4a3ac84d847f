//! Messages to people: none is lost, none goes twice, and what becomes of those that come back.

mod bounces;
mod delivery;
mod letters;
mod page;
mod sink;
mod transports;

use serde_json::json;
use sqlx::Row;
use tests::{Actor, Dealer, Reply, Scratch, TestApp};

const OLGA: &str = "olga@team.example";

/// Invites somebody to a built-in role.
async fn invite(who: &Actor, email: &str, role: &str) -> Reply {
    let body = json!({ "email": email, "role": role });
    who.post("/invitations", body).await
}

/// What is known of a message.
#[derive(Debug, PartialEq, Eq)]
struct Logged {
    recipient: Option<String>,
    kind: String,
    status: String,
    attempts: i32,
    refusal_code: Option<i32>,
    is_sealed: bool,
}

/// All messages of a dealer, oldest first.
async fn log(app: &TestApp, dealer: &Dealer) -> Vec<Logged> {
    let schema = app.database.schema_of(&dealer.slug).await;
    log_in(&app.database, &schema).await
}

async fn log_in(database: &Scratch, schema: &str) -> Vec<Logged> {
    let query = format!("SELECT * FROM {schema}.mail ORDER BY id");
    let rows = sqlx::query(sqlx::AssertSqlSafe(query))
        .fetch_all(&mut database.connect().await)
        .await
        .unwrap();
    let logged = rows.iter().map(|row| Logged {
        recipient: row.get("recipient"),
        kind: row.get("kind"),
        status: row.get("status"),
        attempts: row.get("attempts"),
        refusal_code: row.get("refusal_code"),
        is_sealed: row.get::<Option<Vec<u8>>, _>("sealed").is_some(),
    });
    logged.collect()
}

/// How many jobs there are that send messages.
async fn jobs(database: &Scratch) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM jobs.job WHERE kind = 'mail.send'")
        .fetch_one(&mut database.connect().await)
        .await
        .unwrap()
}
