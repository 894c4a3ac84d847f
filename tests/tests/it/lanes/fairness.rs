//! A dealer that wants more than its share waits for itself, not its neighbours for it.

use std::time::{Duration, Instant};

use sea_orm::ConnectionTrait;
use tests::{Scratch, TestApp, eventually};

use super::{backend, text_of, wide};

const SHORT_WAIT: (&str, &str) = ("TUBEX_DATABASE__TENANT_WAIT_MS", "100");

#[actix_web::test]
async fn a_dealer_at_its_bound_is_told_to_come_back_and_its_neighbour_is_served() {
    let keys = [("TUBEX_DATABASE__TENANT_CONCURRENCY", "2"), SHORT_WAIT];
    let app = TestApp::start_on(wide().await, &keys).await;
    let (loud, quiet) = (app.dealer().await, app.dealer().await);
    let door = app.door(&loud).await;
    let held = [door.begin().await.unwrap(), door.begin().await.unwrap()];
    let asked = Instant::now();

    let refused = loud.get("/items").await;
    let served = quiet.get("/items").await;

    assert_eq!(
        (refused.status.as_u16(), refused.problem()),
        (503, "tenant_busy")
    );
    assert!(refused.header("retry-after").parse::<u64>().unwrap() > 0);
    assert!(asked.elapsed() < Duration::from_secs(5), "it hangs");
    assert_eq!(served.status, 200);
    drop(held);
    eventually("its places are free again", async || {
        loud.get("/items").await.status == 200
    })
    .await;
}

#[actix_web::test]
async fn a_plan_widens_and_narrows_the_bound_while_the_server_runs() {
    let keys = [("TUBEX_DATABASE__TENANT_CONCURRENCY", "2"), SHORT_WAIT];
    let app = TestApp::start_on(wide().await, &keys).await;
    let acme = app.dealer().await;
    let in_plan = async |plan: &str, concurrency: u32| {
        app.sql(&format!(
            "INSERT INTO platform.plan (id, name, concurrency)
             VALUES (gen_random_uuid(), '{plan}', {concurrency});
             UPDATE platform.tenant SET name = '{plan}',
                 plan_id = (SELECT id FROM platform.plan WHERE name = '{plan}')
             WHERE slug = 'acme'"
        ))
        .await;
        eventually("the plan is known", async || {
            app.door(&acme).await.tenant().name() == plan
        })
        .await;
    };

    for (plan, concurrency) in [("large", 5), ("small", 1)] {
        in_plan(plan, concurrency).await;
        let door = app.door(&acme).await;
        let mut held = Vec::new();
        while let Ok(tx) = door.begin().await {
            held.push(tx);
        }

        assert_eq!(held.len(), concurrency as usize, "{plan}");
    }
}

/// Statements and idle transactions of a dealer end after its plan's time, whatever the server is
/// configured with.
#[actix_web::test]
async fn a_plans_time_limits_hold_for_its_dealers_alone() {
    let app = TestApp::start_on(Scratch::with_lane_of(2).await, &[]).await;
    let (hasty, other) = (app.dealer().await, app.dealer().await);
    app.sql(
        "INSERT INTO platform.plan (id, name, statement_timeout_ms, idle_in_transaction_timeout_ms)
         VALUES (gen_random_uuid(), 'hasty', 150, 250);
         UPDATE platform.tenant SET plan_id = (SELECT id FROM platform.plan) WHERE slug = 'acme'",
    )
    .await;
    let limits = "SELECT current_setting('statement_timeout') || ' '
         || current_setting('idle_in_transaction_session_timeout')";
    let limits_of = async |dealer: &tests::Dealer| {
        let door = app.door(dealer).await;
        door.read(async |tx| text_of(tx, limits).await).await
    };

    eventually("the plan is known", async || {
        limits_of(&hasty).await.is_ok_and(|it| it == "150ms 250ms")
    })
    .await;

    assert_eq!(limits_of(&other).await.unwrap(), "10s 10s");
    let door = app.door(&hasty).await;
    let slept = door
        .read(async |tx| text_of(tx, "SELECT pg_sleep(30)::text").await)
        .await;
    assert!(slept.is_err(), "a slow statement is ended");
    let leaked = door.begin().await.unwrap();
    tokio::time::sleep(Duration::from_millis(600)).await;
    let late = leaked.execute_unprepared("SELECT 1").await;
    assert!(late.is_err(), "a transaction that lies idle is ended");
    drop(leaked);
    assert!(limits_of(&hasty).await.is_ok(), "the lane serves on");
}

/// Work that takes seconds never has all of a lane's connections.
#[actix_web::test]
async fn long_work_leaves_half_of_the_lane_to_short_requests() {
    let keys = [("TUBEX_DATABASE__ACQUIRE_TIMEOUT_MS", "300")];
    let app = TestApp::start_on(Scratch::with_lane_of(4).await, &keys).await;
    let (acme, bolt) = (app.dealer().await, app.dealer().await);
    let (first, second) = (app.door(&acme).await, app.door(&bolt).await);

    let held = [
        first.long_work().await.unwrap(),
        second.long_work().await.unwrap(),
    ];

    assert!(first.long_work().await.is_err(), "a third one waits");
    drop(held);
    assert!(second.long_work().await.is_ok());
}

/// The caches of a backend hold what its dealers need, so each dealer comes back to its own.
#[actix_web::test]
async fn a_dealer_meets_the_same_connection_again() {
    let app = TestApp::start_on(wide().await, &[]).await;
    let dealers = [
        app.dealer().await,
        app.dealer().await,
        app.new_dealer().await,
        app.new_dealer().await,
    ];
    let mut doors = Vec::new();
    for dealer in &dealers {
        let door = app.door(dealer).await;
        doors.push((backend(&door).await, door));
    }

    for round in 0..5 {
        for (first, door) in &doors {
            assert_eq!(&backend(door).await, first, "round {round}");
        }
    }
}
