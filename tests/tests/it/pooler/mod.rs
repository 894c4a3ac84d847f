//! The same server through a real PgBouncer in transaction mode, where a connection of the database
//! serves whoever comes next.

mod canaries;
mod walls;

use tests::{PgBouncer, Scratch, TestApp};

/// A server whose lane has so many connections behind the pooler, fewer than in front of it.
async fn behind_a_pooler(pool_size: u16, more: &[(&str, &str)]) -> (TestApp, PgBouncer) {
    let database = Scratch::with_dealers().await;
    let pooler = PgBouncer::in_front_of(&database, pool_size).await;
    let direct = database.server_url();
    let keys = [&pooler.keys(&direct)[..], more].concat();
    let app = TestApp::start_on(database, &keys).await;
    (app, pooler)
}
