//! A dealer moves to another lane while it is served.
//!
//! Roles are the cluster's, and the ready dealers of all tests are the same roles: who moves here is
//! a dealer of the test's own.

use std::cell::Cell;

use tests::{Dealer, Scratch, TestApp, eventually};

use super::{backend, second_lane};

#[actix_web::test]
async fn no_request_fails_while_a_dealer_moves_to_and_fro() {
    let app = TestApp::start_on(Scratch::with_lane_of(4).await, &[]).await;
    let acme = app.new_dealer().await;
    let second = second_lane(&app, 10).await;
    let first = lane_of(&app, &acme).await;
    let (served, is_over) = (Cell::new(0_u32), Cell::new(false));
    let ask = async |path: &str| {
        while !is_over.get() {
            let reply = acme.get(path).await;
            assert_eq!(reply.status, 200, "{}", reply.text());
            served.set(served.get() + 1);
        }
    };
    let walk = async || {
        for round in 0..8 {
            let target = if round % 2 == 0 { &second } else { &first };
            move_to(&app, &acme, target).await;
        }
        is_over.set(true);
    };

    tokio::join!(ask("/items"), ask("/me"), ask("/units"), walk());

    assert!(served.get() > 20, "{} requests", served.get());
    assert_eq!(memberships(&app, &acme).await, [first]);
}

/// A process that was told nothing finds out by being refused.
#[actix_web::test]
async fn a_server_that_has_not_heard_of_the_move_follows_at_the_next_request() {
    let keys = [("TUBEX_DATABASE__POLL_MS", "60000")];
    let app = TestApp::start_on(Scratch::with_lane_of(2).await, &keys).await;
    let acme = app.new_dealer().await;
    let second = second_lane(&app, 10).await;
    eventually("the lane is known", async || {
        app.state.directory.lane_stats().len() == 2
    })
    .await;
    let door = app.door(&acme).await;
    backend(&door).await;
    app.sql("ALTER TABLE platform.tenant DISABLE TRIGGER tenant_notify")
        .await;

    move_to(&app, &acme, &second).await;

    for _ in 0..3 {
        assert_eq!(acme.get("/items").await.status, 200);
        backend(&door).await;
    }
}

/// The transaction under way keeps its role; it ends well on the lane that it began on.
#[actix_web::test]
async fn a_transaction_under_way_outlives_the_move() {
    let app = TestApp::start_on(Scratch::with_lane_of(2).await, &[]).await;
    let acme = app.new_dealer().await;
    let second = second_lane(&app, 10).await;
    let tx = app.door(&acme).await.begin().await.unwrap();

    move_to(&app, &acme, &second).await;
    let wrote = sea_orm::ConnectionTrait::execute_unprepared(
        &tx,
        "INSERT INTO unit (code, name, symbol, decimals) VALUES ('moved', 'M', 'm', 0)",
    )
    .await;
    tx.commit().await.unwrap();

    assert!(wrote.is_ok(), "{wrote:?}");
    assert_eq!(acme.get("/units/moved").await.status, 200);
}

/// The gap that is known: within one lane an injected statement can change the role. A lane of its
/// own closes it.
#[actix_web::test]
async fn only_a_lane_of_its_own_keeps_injected_sql_from_a_neighbours_role() {
    let app = TestApp::start().await;
    let (acme, bolt) = (app.new_dealer().await, app.new_dealer().await);
    let theirs = app.database.schema_of(&bolt.slug).await;
    let injected = format!(
        "SELECT set_config('role', '{theirs}', true) || (SELECT count(*)::text FROM {theirs}.item)"
    );
    let inject = async || {
        let door = app.door(&acme).await;
        door.read(async |tx| super::text_of(tx, &injected).await)
            .await
    };

    // One statement checks the schema before it changes the role; two don't.
    let door = app.door(&acme).await;
    let become_them = format!("SELECT set_config('role', '{theirs}', true)");
    let count = format!("SELECT count(*)::text FROM {theirs}.item");
    let within = door
        .read(async |tx| {
            super::text_of(tx, &become_them).await?;
            super::text_of(tx, &count).await
        })
        .await;
    assert!(within.is_ok(), "this is the gap: {within:?}");

    let moved = tests::tubex(
        &app.database.owner_url(),
        &["lane", "move", &bolt.slug, "--dedicated"],
        &[],
    );
    assert!(moved.status.success(), "{moved:?}");

    assert!(inject().await.is_err());
    let door = app.door(&acme).await;
    let without = door
        .read(async |tx| super::text_of(tx, &become_them).await)
        .await;
    assert!(
        without.is_err(),
        "another lane's roles are out of reach: {without:?}"
    );
    bolt.get("/items").await.expect(200);
}

async fn move_to(app: &TestApp, dealer: &Dealer, lane: &str) {
    let (url, slug, lane) = (
        app.database.owner_url(),
        dealer.slug.clone(),
        lane.to_owned(),
    );
    let moved = tokio::task::spawn_blocking(move || {
        tests::tubex(&url, &["lane", "move", &slug, "--to", &lane], &[])
    });
    let moved = moved.await.unwrap();
    assert!(moved.status.success(), "{moved:?}");
}

async fn lane_of(app: &TestApp, dealer: &Dealer) -> String {
    let lane = "SELECT l.login_role FROM platform.lane l
         JOIN platform.tenant t ON t.lane_id = l.id WHERE t.slug = $1";
    sqlx::query_scalar(lane)
        .bind(&dealer.slug)
        .fetch_one(&mut app.database.connect().await)
        .await
        .expect("the dealer has a lane")
}

/// The logins that may become a dealer.
async fn memberships(app: &TestApp, dealer: &Dealer) -> Vec<String> {
    let members = "SELECT m.member::regrole::text FROM pg_auth_members m
         WHERE m.roleid = $1::regrole AND m.member::regrole::text LIKE 'lane\\_%'";
    sqlx::query_scalar(members)
        .bind(app.database.schema_of(&dealer.slug).await)
        .fetch_all(&mut app.database.connect().await)
        .await
        .expect("memberships can be read")
}
