//! Canaries through the pooler.

use tests::{PgBouncer, Scratch};

use crate::isolation::canaries::{canaries_at_a_server, expect_much};

#[actix_web::test]
async fn no_marker_ever_turns_up_at_a_neighbours_behind_a_pooler() {
    let database = Scratch::with_dealers().await;
    let pooler = PgBouncer::in_front_of(&database, 2).await;
    let direct = database.server_url();

    let report = canaries_at_a_server(&database, &pooler.keys(&direct), 300).await;

    expect_much(&report, 300);
}
