//! Events, followed live.

mod catalogue;
mod hostile;
mod order;
mod processes;
mod raw;
mod restarts;
mod rights;
mod slowness;
mod socket;
mod stalled;
mod streams;

use serde_json::json;
use tests::{Actor, Dealer, Heard, ServerProcess, TestApp};

/// Changes something that is told of: a unit is new.
async fn new_unit(who: &Actor, code: &str) {
    let unit = json!({"code": code, "name": code, "symbol": "u", "decimals": 0});
    who.post("/units", unit).await.expect(201);
}

/// The owner of the first dealer, signed in at a process.
async fn owner_at(server: &ServerProcess) -> Actor {
    let stranger = server.stranger("acme.localhost");
    let reply = stranger
        .sign_in("owner@acme.example", "a fine password for tests")
        .await
        .expect(200);
    stranger.with_token(reply.json["access_token"].as_str().unwrap())
}

/// The ids of what was told, as numbers.
fn ids(heard: &[Heard]) -> Vec<i64> {
    let events = heard.iter().filter(|heard| heard.event.contains('.'));
    events.map(|heard| heard.id.parse().unwrap()).collect()
}

/// The ids in a dealer's log after one of them.
async fn log_after(app: &tests::Scratch, slug: &str, after: i64) -> Vec<i64> {
    let schema = app.schema_of(slug).await;
    let sql = format!("SELECT id FROM {schema}.event WHERE id > $1 ORDER BY id");
    sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
        .bind(after)
        .fetch_all(&mut app.connect_to_home_of(slug).await)
        .await
        .unwrap()
}

/// The newest event of a dealer's.
async fn head(app: &TestApp, dealer: &Dealer) -> i64 {
    let all = log_after(&app.database, &dealer.slug, 0).await;
    all.last().copied().unwrap_or_default()
}
