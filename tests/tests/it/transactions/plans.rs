//! Prepared statements: each dealer's own, and made anew when a migration made them stale.

use std::cell::Cell;

use sea_orm::{ConnectionTrait, DbErr};
use server::db::TenantDb;
use tests::{Dealer, Scratch, TestApp};

use super::{statement, text_of};

const EVERYTHING: &str = "SELECT * FROM setting";

#[actix_web::test]
async fn a_plan_that_a_migration_made_stale_is_made_anew() {
    let app = TestApp::start_on(Scratch::with_lane_of(1).await, &[]).await;
    let acme = app.dealer().await;
    let door = app.door(&acme).await;
    columns(&door).await.unwrap();
    migrate(&app, &acme).await;
    let times = Cell::new(0);

    let seen = door
        .read(async |tx| {
            times.set(times.get() + 1);
            tx.query_all_raw(statement(EVERYTHING)).await
        })
        .await;

    assert!(seen.is_ok(), "{seen:?}");
    assert_eq!(times.get(), 2, "the work runs once more, and no more often");
}

/// Every connection of the lane holds a stale plan of its own, so the second try must not come
/// upon the next one.
#[actix_web::test]
async fn stale_plans_on_every_connection_of_the_lane_are_no_ones_error() {
    let keys = [("TUBEX_DATABASE__TENANT_CONCURRENCY", "4")];
    let app = TestApp::start_on(Scratch::with_lane_of(4).await, &keys).await;
    let acme = app.dealer().await;
    let door = app.door(&acme).await;
    let mut all = Vec::new();
    for _ in 0..4 {
        let tx = door.begin_read_only().await.unwrap();
        tx.query_all_raw(statement(EVERYTHING)).await.unwrap();
        all.push(tx);
    }
    drop(all);
    migrate(&app, &acme).await;

    for attempt in 0..8 {
        let seen = columns(&door).await;

        assert!(seen.is_ok(), "attempt {attempt}: {seen:?}");
    }
}

#[actix_web::test]
async fn a_write_that_met_a_stale_plan_is_done_exactly_once() {
    let app = TestApp::start_on(Scratch::with_lane_of(1).await, &[]).await;
    let acme = app.dealer().await;
    let door = app.door(&acme).await;
    columns(&door).await.unwrap();
    migrate(&app, &acme).await;
    let times = Cell::new(0);
    let add = "INSERT INTO unit (code, name, symbol, decimals) VALUES ('twice', 'T', 't', 0)";

    let done = door
        .write(async |tx| {
            times.set(times.get() + 1);
            tx.execute_unprepared(add).await?;
            tx.query_all_raw(statement(EVERYTHING)).await.map(drop)
        })
        .await;

    assert!(done.is_ok(), "{done:?}");
    assert_eq!(times.get(), 2);
    let count = "SELECT count(*)::text FROM unit WHERE code = 'twice'";
    let count = door.read(async |tx| text_of(tx, count).await).await;
    assert_eq!(count.unwrap(), "1");
}

#[actix_web::test]
async fn what_the_database_can_not_do_at_all_is_tried_twice_and_then_told() {
    let app = TestApp::start_on(Scratch::with_lane_of(1).await, &[]).await;
    let door = app.door(&app.dealer().await).await;
    let times = Cell::new(0);

    let refused = door
        .read(async |tx| {
            times.set(times.get() + 1);
            // Also SQLSTATE 0A000, but no stale plan.
            text_of(tx, "SELECT xmlparse(document 'x')::text").await
        })
        .await;

    assert!(refused.is_err());
    assert!(times.get() <= 2);
    assert!(columns(&door).await.is_ok(), "the lane works on");
}

#[actix_web::test]
async fn every_statement_begins_with_its_dealer() {
    let app = TestApp::start_on(Scratch::with_lane_of(1).await, &[]).await;
    let (acme, bolt) = (app.dealer().await, app.dealer().await);

    for dealer in [&acme, &bolt, &acme] {
        let schema = app.database.schema_of(&dealer.slug).await;
        let tx = app.door(dealer).await.begin().await.unwrap();
        let backend = text_of(&tx, "SELECT pg_backend_pid()::text").await;
        let backend = backend.unwrap().parse().unwrap();
        let dealer = format!("/*{schema}*/");
        assert!(last_of(&app, backend).await.starts_with(&dealer));
        tx.execute_unprepared("SELECT 'plain'").await.unwrap();
        assert!(last_of(&app, backend).await.starts_with(&dealer));
    }
}

/// What a backend did last, as an onlooker sees it. The server has transactions of its own meanwhile.
async fn last_of(app: &TestApp, backend: i32) -> String {
    sqlx::query_scalar("SELECT query FROM pg_stat_activity WHERE pid = $1")
        .bind(backend)
        .fetch_one(&mut app.database.connect().await)
        .await
        .expect("the backend is there")
}

async fn columns(door: &TenantDb) -> Result<(), DbErr> {
    door.read(async |tx| tx.query_all_raw(statement(EVERYTHING)).await.map(drop))
        .await
}

async fn migrate(app: &TestApp, dealer: &Dealer) {
    let schema = app.database.schema_of(&dealer.slug).await;
    app.sql(&format!("ALTER TABLE {schema}.setting ADD COLUMN new text"))
        .await;
}
