//! Connections are bounded in what they remember, and none is reused in doubt.

use std::collections::HashSet;
use std::time::Duration;

use sea_orm::ConnectionTrait;
use tests::{Scratch, TestApp, Wire, eventually};

use super::{backend, text_of};

#[actix_web::test]
async fn a_connection_that_has_served_many_dealers_is_replaced() {
    let keys = [("TUBEX_DATABASE__CONNECTION_TENANTS", "2")];
    let app = TestApp::start_on(Scratch::with_lane_of(1).await, &keys).await;
    let doors = [
        app.door(&app.dealer().await).await,
        app.door(&app.dealer().await).await,
        app.door(&app.dealer().await).await,
    ];
    let mut met = HashSet::new();

    for _ in 0..3 {
        for door in &doors {
            met.insert(backend(door).await);
        }
    }

    assert!((3..=5).contains(&met.len()), "{} connections", met.len());
    let recycled: u64 = app
        .state
        .directory
        .lane_stats()
        .iter()
        .map(|lane| lane.recycled)
        .sum();
    assert!(recycled >= 2, "{recycled}");
}

/// The client stops waiting in the middle of a statement: the connection isn't anybody's before the
/// statement has ended, and then it isn't used again.
#[actix_web::test]
async fn a_connection_that_was_left_in_the_middle_of_an_answer_is_closed() {
    let keys = [("TUBEX_DATABASE__STATEMENT_TIMEOUT_MS", "700")];
    let app = TestApp::start_on(Scratch::with_lane_of(1).await, &keys).await;
    let door = app.door(&app.dealer().await).await;
    let before = backend(&door).await;

    let work = door.write(async |tx| {
        tx.execute_unprepared("UPDATE member SET name = 'Never kept'")
            .await?;
        text_of(tx, "SELECT pg_sleep(30)::text").await
    });
    let broken_off = tokio::time::timeout(Duration::from_millis(100), work).await;

    assert!(broken_off.is_err());
    assert_ne!(backend(&door).await, before);
    let kept = "SELECT count(*)::text FROM member WHERE name = 'Never kept'";
    let kept = door.read(async |tx| text_of(tx, kept).await).await;
    assert_eq!(kept.unwrap(), "0");
}

/// A database that has gone without a word would hold a place of the lane until TCP gives up.
#[actix_web::test]
async fn a_connection_that_fell_silent_is_given_up_and_its_place_is_free_again() {
    let database = Scratch::with_lane_of(1).await;
    let wire = Wire::to(&database).await;
    let keys = [
        ("TUBEX_DATABASE__URL", wire.url()),
        ("TUBEX_DATABASE__STATEMENT_TIMEOUT_MS", "300"),
        ("TUBEX_DATABASE__ACQUIRE_TIMEOUT_MS", "500"),
    ];
    let app = TestApp::start_on(database, &keys).await;
    let door = app.door(&app.dealer().await).await;
    let tx = door.begin().await.unwrap();

    wire.hold_after("never to be answered");
    tokio::select! {
        _ = text_of(&tx, "SELECT 'never to be answered'") => panic!("its answer is held back"),
        () = wire.holds() => {}
    }
    drop(tx);
    let at_once = door.begin().await;

    assert!(at_once.is_err(), "the only connection is in doubt");
    wire.mend();
    eventually("the lane has a place again", async || {
        door.begin().await.is_ok()
    })
    .await;
}

#[actix_web::test]
async fn statements_are_prepared_once_and_the_cache_stays_bounded() {
    let keys = [("TUBEX_DATABASE__STATEMENT_CACHE", "4")];
    let app = TestApp::start_on(Scratch::with_lane_of(1).await, &keys).await;
    let door = app.door(&app.dealer().await).await;
    let ask = async |number: u32| {
        let sql = format!("SELECT '{number}'");
        let asked = door.read(async |tx| text_of(tx, &sql).await).await;
        asked.expect("the dealer is served")
    };
    let prepared = async || {
        let listed = "SELECT count(*)::text FROM pg_cursors";
        // pg_prepared_statements is fenced off; sqlx numbers what it prepares.
        door.read(async |tx| text_of(tx, listed).await)
            .await
            .unwrap();
        app.state.directory.lane_stats().remove(0)
    };

    for _ in 0..10 {
        ask(1).await;
    }
    let warm = prepared().await;
    for number in 0..20 {
        ask(number).await;
    }
    let full = prepared().await;

    assert!(warm.statement_hits >= 9, "{warm:?}");
    assert!(
        full.statement_misses >= warm.statement_misses + 19,
        "{full:?}"
    );
    assert!(full.statements_cached <= 4, "{full:?}");
}

/// For a pooler that hands every transaction to another connection.
#[actix_web::test]
async fn unnamed_statements_leave_nothing_prepared_on_the_connection() {
    let keys = [("TUBEX_DATABASE__PREPARED_STATEMENTS", "unnamed")];
    let database = Scratch::with_lane_of(1).await;
    let app = TestApp::start_on(database, &keys).await;
    let acme = app.dealer().await;
    let door = app.door(&acme).await;
    // The fence hides the view from dealers; the test opens it.
    app.sql("GRANT SELECT ON pg_catalog.pg_prepared_statements TO PUBLIC")
        .await;
    app.sql("GRANT EXECUTE ON FUNCTION pg_catalog.pg_prepared_statement() TO PUBLIC")
        .await;

    acme.get("/items").await.expect(200);
    acme.get("/item-groups").await.expect(200);
    let kept = "SELECT count(*)::text FROM pg_prepared_statements WHERE name <> ''";
    let kept = door.read(async |tx| text_of(tx, kept).await).await;

    assert_eq!(kept.unwrap(), "0");
}
