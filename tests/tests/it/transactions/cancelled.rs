//! Transactions that were broken off: at their start, in their middle, at their end.

use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use sea_orm::{ConnectionTrait, DbErr};
use server::db::{TenantDb, TenantTx};
use tests::{Scratch, TestApp, Wire};

use super::{WHO, sqlstate, text_of, themselves, who};

/// sqlx 0.9.0 gives a connection back inside the half-open transaction (transact-rs/sqlx #4385).
#[actix_web::test]
async fn a_start_cancelled_before_its_answer_came_costs_its_connection() {
    let database = Scratch::with_lane_of(1).await;
    let wire = Wire::to(&database).await;
    let app = TestApp::start_on(database, &[("TUBEX_DATABASE__URL", wire.url())]).await;
    let (acme, bolt) = (app.dealer().await, app.dealer().await);
    let (broken_off, next) = (app.door(&acme).await, app.door(&bolt).await);
    let expected = themselves(&app, &bolt).await;

    for attempt in 0..40 {
        let before = backend(&next).await;
        wire.hold_after("SET LOCAL ROLE");
        tokio::select! {
            _ = broken_off.begin() => panic!("the answer is held back"),
            () = wire.holds() => {}
        }
        wire.mend();

        assert_eq!(who(&next).await, expected, "after attempt {attempt}");
        assert_ne!(backend(&next).await, before);
    }

    nobody_is_left_in_a_transaction(&app).await;
}

#[actix_web::test]
async fn a_start_cancelled_anywhere_leaves_nothing_to_the_next_borrower() {
    for width in [1, 2] {
        let app = TestApp::start_on(Scratch::with_lane_of(width).await, &[]).await;
        let (acme, bolt) = (app.dealer().await, app.dealer().await);
        let (broken_off, next) = (app.door(&acme).await, app.door(&bolt).await);
        let expected = themselves(&app, &bolt).await;
        let (mut cancelled, mut attempt) = (0, 0);

        // On a busy machine the database may have answered whenever we look: then it goes on.
        while attempt < 100 || (cancelled == 0 && attempt < 5_000) {
            // Between 0 and 2 ms, a few times what a start takes.
            let patience = Duration::from_micros(attempt % 50 * 40);
            match cut_short(patience, broken_off.begin()).await {
                Some(begun) => drop(begun.unwrap()),
                None => cancelled += 1,
            }

            assert_eq!(who(&next).await, expected, "after attempt {attempt}");
            attempt += 1;
        }

        assert!(cancelled > 0, "nothing was shown");
        nobody_is_left_in_a_transaction(&app).await;
    }
}

#[actix_web::test]
async fn whoever_gives_up_while_a_connection_opens_leaves_it_to_the_next() {
    let app = TestApp::start_on(Scratch::with_lane_of(1).await, &[]).await;
    let acme = app.dealer().await;
    let door = app.door(&acme).await;
    let lane = lane_of(&app, &acme.slug).await;
    let mut onlooker = app.database.connect().await;
    let mut most = 0;

    for attempt in 0..200 {
        cut_short(Duration::ZERO, door.begin()).await;
        if attempt % 10 == 9 {
            let open = "SELECT count(*) FROM pg_stat_activity WHERE usename = $1";
            let open = sqlx::query_scalar::<_, i64>(open).bind(&lane);
            most = open.fetch_one(&mut onlooker).await.unwrap().max(most);
        }
    }

    assert_eq!(who(&door).await, themselves(&app, &acme).await);
    // Those that were cut off at their start need a moment to go.
    assert!(most <= 10, "{most} logins for one seat");
}

/// A path that can't be read is refused while the one who asks is still being looked at.
#[actix_web::test]
async fn requests_that_are_refused_at_once_cost_no_connection() {
    let app = TestApp::start_on(Scratch::with_lane_of(1).await, &[]).await;
    let acme = app.dealer().await;
    let door = app.door(&acme).await;
    let before = backend(&door).await;

    let since = Instant::now();
    // For longer than what is known of a dealer's access is believed.
    while since.elapsed() < Duration::from_millis(1_500) {
        acme.get("/items/no-id").await.expect(404);
    }

    assert_eq!(backend(&door).await, before);
}

#[actix_web::test]
async fn a_start_that_fails_leaves_no_aborted_connection() {
    let app = TestApp::start_on(Scratch::with_lane_of(1).await, &[]).await;
    let (acme, unlucky) = (app.dealer().await, app.new_dealer().await);
    let schema = app.database.schema_of(&unlucky.slug).await;
    let away = format!("t_{}", &uuid::Uuid::new_v4().simple().to_string()[..16]);
    let (door, shut) = (app.door(&acme).await, app.door(&unlucky).await);
    let expected = themselves(&app, &acme).await;

    app.sql(&format!("ALTER ROLE {schema} RENAME TO {away}"))
        .await;
    for _ in 0..5 {
        let refused = shut.begin().await.expect_err("the role is not there");
        assert_eq!(sqlstate(&refused), "22023");
        assert_eq!(who(&door).await, expected);
    }
    let reply = unlucky.get("/items").await;

    assert_eq!((reply.status.as_u16(), reply.problem()), (500, "internal"));
    assert!(!reply.text().contains(&schema), "{}", reply.text());
    app.sql(&format!("ALTER ROLE {away} RENAME TO {schema}"))
        .await;
    assert_eq!(who(&shut).await, themselves(&app, &unlucky).await);
}

#[actix_web::test]
async fn a_lane_that_lost_its_membership_refuses_one_dealer_and_serves_the_others() {
    let app = TestApp::start_on(Scratch::with_lane_of(1).await, &[]).await;
    let (acme, unlucky) = (app.dealer().await, app.new_dealer().await);
    let schema = app.database.schema_of(&unlucky.slug).await;
    let lane = lane_of(&app, &unlucky.slug).await;
    let (door, shut) = (app.door(&acme).await, app.door(&unlucky).await);

    app.sql(&format!("REVOKE {schema} FROM {lane}")).await;
    let refused = shut.begin().await.expect_err("the lane is no member");

    assert_eq!(sqlstate(&refused), "42501");
    assert_eq!(who(&door).await, themselves(&app, &acme).await);
}

#[actix_web::test]
async fn work_cancelled_within_a_statement_leaves_nothing_to_the_next_borrower() {
    let app = TestApp::start_on(Scratch::with_lane_of(1).await, &[]).await;
    let (acme, bolt) = (app.dealer().await, app.dealer().await);
    let (broken_off, next) = (app.door(&acme).await, app.door(&bolt).await);
    let expected = themselves(&app, &bolt).await;

    for attempt in 0..30 {
        let work = async {
            let tx = broken_off.begin().await?;
            tx.execute_unprepared("UPDATE member SET name = 'Broken Off'")
                .await?;
            text_of(&tx, "SELECT pg_sleep(0.02)::text").await?;
            Ok::<_, DbErr>(tx)
        };
        cut_short(Duration::from_micros(attempt * 500), work).await;

        assert_eq!(who(&next).await, expected, "after attempt {attempt}");
    }

    assert_ne!(acme.get("/me").await.json["name"], "Broken Off");
    nobody_is_left_in_a_transaction(&app).await;
}

#[actix_web::test]
async fn a_commit_cancelled_before_its_answer_came_costs_its_connection() {
    let database = Scratch::with_lane_of(1).await;
    let wire = Wire::to(&database).await;
    let app = TestApp::start_on(database, &[("TUBEX_DATABASE__URL", wire.url())]).await;
    let (acme, bolt) = (app.dealer().await, app.dealer().await);
    let (door, next) = (app.door(&acme).await, app.door(&bolt).await);
    let before = backend(&next).await;
    let tx = door.begin().await.unwrap();
    tx.execute_unprepared("UPDATE member SET name = 'Perhaps'")
        .await
        .unwrap();

    cut_at_its_commit(&wire, tx).await;

    assert_eq!(who(&next).await, themselves(&app, &bolt).await);
    assert_ne!(backend(&next).await, before);
    nobody_is_left_in_a_transaction(&app).await;
}

/// `COMMIT` behind the transaction's back shows the naked session of the lane's login.
#[actix_web::test]
async fn nothing_is_ever_set_on_the_session() {
    let app = TestApp::start_on(Scratch::with_lane_of(1).await, &[]).await;
    let acme = app.dealer().await;
    let door = app.door(&acme).await;
    let lane = lane_of(&app, &acme.slug).await;

    let tx = door.begin().await.unwrap();
    let within = text_of(&tx, WHO).await.unwrap();
    tx.execute_unprepared("COMMIT").await.unwrap();
    let naked = text_of(
        &tx,
        "SELECT current_user || '|' || current_setting('search_path') || '|' \
         || current_setting('statement_timeout') || '|' \
         || current_setting('transaction_read_only')",
    );

    assert_eq!(within, themselves(&app, &acme).await);
    assert_eq!(
        naked.await.unwrap(),
        format!("{lane}|\"$user\", public|0|off")
    );
}

/// The process behind the connection that a dealer would get now.
pub(super) async fn backend(door: &TenantDb) -> String {
    let pid = "SELECT pg_backend_pid()::text";
    let asked = door.read(async |tx| text_of(tx, pid).await).await;
    asked.expect("the next borrower is served")
}

/// Commits, and stops waiting before the answer comes.
pub(super) async fn cut_at_its_commit(wire: &Wire, tx: TenantTx) {
    wire.hold_after("COMMIT");
    tokio::select! {
        _ = tx.commit() => panic!("the answer is held back"),
        () = wire.holds() => {}
    }
    wire.mend();
}

/// Drops the future, which cancels it, at the first wait after this time. Finer than the timers
/// of the runtime, which count milliseconds.
async fn cut_short<F: Future>(patience: Duration, future: F) -> Option<F::Output> {
    let deadline = Instant::now() + patience;
    let mut future = pin!(future);
    std::future::poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending if Instant::now() >= deadline => Poll::Ready(None),
        Poll::Pending => {
            context.waker().wake_by_ref();
            Poll::Pending
        }
    })
    .await
}

async fn lane_of(app: &TestApp, slug: &str) -> String {
    let lane = "SELECT l.login_role FROM platform.lane l
         JOIN platform.tenant t ON t.lane_id = l.id WHERE t.slug = $1";
    sqlx::query_scalar(lane)
        .bind(slug)
        .fetch_one(&mut app.database.connect().await)
        .await
        .expect("the dealer has a lane")
}

/// Backends of closed connections need a moment to notice.
pub(super) async fn nobody_is_left_in_a_transaction(app: &TestApp) {
    let mut connection = app.database.connect().await;
    let open = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
         AND pid <> pg_backend_pid() AND xact_start IS NOT NULL";
    tests::eventually("all transactions have ended", async || {
        let open = sqlx::query_scalar::<_, i64>(open).fetch_one(&mut connection);
        open.await.expect("activity can be read") == 0
    })
    .await;
}
