//! What is put down for the commit: it goes with it in one message, and is there with it or not at
//! all.

use std::cell::Cell;

use sea_orm::{ConnectionTrait, DbErr, Value};
use server::db::{Failure, TenantDb, TenantTx, failure_of};
use server::jobs::{Enqueue, enqueue};
use tests::errands::Errand;
use tests::{Asked, Scratch, TestApp, Wire};

use super::cancelled::{backend, cut_at_its_commit, nobody_is_left_in_a_transaction};
use super::{sqlstate, statement, text_of, themselves, who};

pub(super) const ADD: &str = "INSERT INTO unit (code, name, symbol, decimals)
    VALUES (CAST($1 AS text), CAST($2 AS text), 'u', CAST($3 AS smallint))";

/// A unit that is to be there with the commit.
pub(super) fn add(tx: &TenantTx, code: &str) -> Result<(), DbErr> {
    let values: Vec<Value> = vec![code.into(), "named".into(), 2_i16.into()];
    tx.at_commit(ADD, values)
}

/// The codes of the units that a test has added.
async fn units(tx: &TenantTx) -> Result<String, DbErr> {
    let codes = "SELECT coalesce(string_agg(code, ' ' ORDER BY code), '') FROM unit
        WHERE code LIKE 'at\\_%'";
    text_of(tx, codes).await
}

pub(super) async fn units_of(door: &TenantDb) -> String {
    door.read(units).await.expect("the next borrower is served")
}

pub(super) async fn jobs(app: &TestApp) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM jobs.job")
        .fetch_one(&mut app.database.connect().await)
        .await
        .expect("jobs can be counted")
}

#[actix_web::test]
async fn a_job_is_handed_over_in_the_message_of_the_commit() {
    let database = Scratch::with_lane_of(1).await;
    let wire = Wire::to(&database).await;
    let app = TestApp::start_on(database, &[("TUBEX_DATABASE__URL", wire.url())]).await;
    let acme = app.dealer().await;
    let schema = app.database.schema_of(&acme.slug).await;
    let door = app.door(&acme).await;
    who(&door).await;
    wire.record();

    let handed_over = door
        .write(async |tx| {
            let first = enqueue(tx, &Errand::new("nothing", "1"), Enqueue::now()).await?;
            let second = enqueue(tx, &Errand::new("nothing", "2"), Enqueue::now()).await?;
            Ok::<_, DbErr>([first, second])
        })
        .await
        .unwrap();

    let asked = wire.asked_by_lanes();
    let queries: Vec<&str> = asked
        .iter()
        .map(|asked| match asked {
            Asked::Query(sql) => sql.as_str(),
            other => panic!("{other:?} in {asked:#?}"),
        })
        // The end of the read before may have been on its way.
        .filter(|sql| *sql != "ROLLBACK")
        .collect();
    let [start, last] = queries[..] else {
        panic!("{asked:#?}");
    };
    assert!(start.starts_with("BEGIN; SET LOCAL ROLE"), "{start}");
    let beginning = format!("/*{schema}*/ SELECT shared.enqueue_job(");
    assert!(last.starts_with(&beginning), "{last}");
    assert!(last.ends_with("; COMMIT"), "{last}");
    let there: Vec<uuid::Uuid> = sqlx::query_scalar("SELECT id FROM jobs.job ORDER BY id")
        .fetch_all(&mut app.database.connect().await)
        .await
        .unwrap();
    assert_eq!(there, handed_over);
}

#[actix_web::test]
async fn what_was_put_down_comes_last_and_in_its_order() {
    let app = TestApp::start_on(Scratch::with_lane_of(1).await, &[]).await;
    let door = app.door(&app.dealer().await).await;

    let within = door
        .write(async |tx| {
            add(tx, "at_one")?;
            // Only the first is there for it to rename, and only once that is there.
            tx.at_commit(
                "UPDATE unit SET code = 'at_two' WHERE code = 'at_one'",
                vec![],
            )?;
            add(tx, "at_one")?;
            tx.execute_unprepared("UPDATE unit SET code = 'at_none' WHERE code = 'at_one'")
                .await?;
            units(tx).await
        })
        .await
        .unwrap();

    assert_eq!(within, "", "nothing of it is there before");
    assert_eq!(units_of(&door).await, "at_one at_two");
}

#[actix_web::test]
async fn a_refusal_at_the_commit_leaves_nothing_and_says_what_it_was() {
    let app = TestApp::start_on(Scratch::with_lane_of(1).await, &[]).await;
    let (acme, bolt) = (app.dealer().await, app.dealer().await);
    let (door, next) = (app.door(&acme).await, app.door(&bolt).await);
    let expected = themselves(&app, &bolt).await;
    let before = backend(&next).await;

    for _ in 0..5 {
        let refused = door
            .write(async |tx| {
                tx.execute_unprepared("UPDATE member SET name = 'Gone'")
                    .await?;
                add(tx, "at_once")?;
                enqueue(tx, &Errand::new("nothing", "never"), Enqueue::now()).await?;
                add(tx, "at_once")?;
                add(tx, "at_last")
            })
            .await
            .expect_err("there is one of that code");

        assert_eq!(sqlstate(&refused), "23505");
        let constraint = Failure::Constraint("unit_pkey".to_owned());
        assert_eq!(failure_of(&refused), constraint);
        assert_eq!(who(&next).await, expected);
    }

    assert_eq!(units_of(&door).await, "");
    assert_ne!(acme.get("/me").await.json["name"], "Gone");
    assert_eq!(jobs(&app).await, 0);
    assert_eq!(backend(&next).await, before, "the connection serves on");
    nobody_is_left_in_a_transaction(&app).await;
}

#[actix_web::test]
async fn a_statement_at_the_commit_has_no_more_time_than_any_other() {
    let keys = [("TUBEX_DATABASE__STATEMENT_TIMEOUT_MS", "100")];
    let app = TestApp::start_on(Scratch::with_lane_of(1).await, &keys).await;
    let door = app.door(&app.dealer().await).await;

    let ended = door
        .write(async |tx| {
            add(tx, "at_once")?;
            tx.at_commit("SELECT pg_sleep(60)", vec![])
        })
        .await
        .expect_err("60 s are too long");

    assert_eq!(failure_of(&ended), Failure::TimedOut);
    assert_eq!(units_of(&door).await, "");
}

#[actix_web::test]
async fn nothing_is_put_down_where_nothing_is_committed() {
    let app = TestApp::start_on(Scratch::with_lane_of(1).await, &[]).await;
    let door = app.door(&app.dealer().await).await;

    let read = door.read(async |tx| add(tx, "at_once")).await;
    let tx = door.begin_read_only().await.unwrap();
    let begun = add(&tx, "at_once");
    drop(tx);
    let dropped = door.begin().await.unwrap();
    add(&dropped, "at_once").unwrap();
    drop(dropped);
    let refused_before = door
        .write(async |tx| {
            add(tx, "at_once")?;
            assert!(tx.execute_unprepared("SELECT 1 / 0").await.is_err());
            Ok::<_, DbErr>(())
        })
        .await;

    assert!(read.is_err() && begun.is_err() && refused_before.is_err());
    assert_eq!(units_of(&door).await, "");
}

/// The work runs twice, and what the first run put down is not for the second's commit.
#[actix_web::test]
async fn what_was_put_down_before_a_stale_plan_was_met_is_put_down_once() {
    let app = TestApp::start_on(Scratch::with_lane_of(1).await, &[]).await;
    let acme = app.dealer().await;
    let door = app.door(&acme).await;
    let schema = app.database.schema_of(&acme.slug).await;
    let everything = async |tx: &TenantTx| {
        let all = tx.query_all_raw(statement("SELECT * FROM setting")).await;
        all.map(drop)
    };
    door.read(everything).await.unwrap();
    app.sql(&format!("ALTER TABLE {schema}.setting ADD COLUMN new text"))
        .await;
    let times = Cell::new(0);

    let done = door
        .write(async |tx| {
            times.set(times.get() + 1);
            enqueue(tx, &Errand::new("nothing", "once"), Enqueue::now()).await?;
            everything(tx).await
        })
        .await;

    assert!(done.is_ok(), "{done:?}");
    assert_eq!(times.get(), 2);
    assert_eq!(jobs(&app).await, 1);
}

#[actix_web::test]
async fn a_commit_cancelled_with_what_goes_along_costs_its_connection() {
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
    let errand = Errand::new("nothing", "perhaps");
    enqueue(&tx, &errand, Enqueue::now()).await.unwrap();
    add(&tx, "at_once").unwrap();

    cut_at_its_commit(&wire, tx).await;

    assert_eq!(who(&next).await, themselves(&app, &bolt).await);
    assert_ne!(backend(&next).await, before);
    nobody_is_left_in_a_transaction(&app).await;
    let is_there = units_of(&door).await == "at_once";
    assert_eq!(jobs(&app).await, i64::from(is_there), "both or neither");
}

/// After a commit a start takes another way than after a rollback: sqlx still counts a transaction.
#[actix_web::test]
async fn a_start_after_a_commit_is_as_safe_as_any() {
    let database = Scratch::with_lane_of(1).await;
    let wire = Wire::to(&database).await;
    let app = TestApp::start_on(database, &[("TUBEX_DATABASE__URL", wire.url())]).await;
    let (acme, bolt, unlucky) = (
        app.dealer().await,
        app.dealer().await,
        app.new_dealer().await,
    );
    let (door, next) = (app.door(&acme).await, app.door(&bolt).await);
    let shut = app.door(&unlucky).await;
    let schema = app.database.schema_of(&unlucky.slug).await;
    let away = format!("t_{}", &uuid::Uuid::new_v4().simple().to_string()[..16]);
    let expected = themselves(&app, &bolt).await;
    let commit = async || {
        let done = door.write(async |tx| text_of(tx, "SELECT pg_backend_pid()::text").await);
        done.await.unwrap()
    };

    for _ in 0..10 {
        let before = commit().await;
        assert_eq!(commit().await, before, "the connection serves on");
        wire.hold_after("SET LOCAL ROLE");
        tokio::select! {
            _ = door.begin() => panic!("the answer is held back"),
            () = wire.holds() => {}
        }
        wire.mend();

        assert_eq!(who(&next).await, expected);
        assert_ne!(backend(&next).await, before);
    }
    app.sql(&format!("ALTER ROLE {schema} RENAME TO {away}"))
        .await;
    for _ in 0..3 {
        commit().await;
        let refused = shut.begin().await.expect_err("the role is not there");
        assert_eq!(sqlstate(&refused), "22023");
        assert_eq!(who(&next).await, expected);
    }
    app.sql(&format!("ALTER ROLE {away} RENAME TO {schema}"))
        .await;
    for _ in 0..3 {
        commit().await;
        assert_eq!(who(&next).await, expected);
        commit().await;
        let undone = door.begin().await.unwrap();
        undone.execute_unprepared("DELETE FROM unit").await.unwrap();
        drop(undone);
    }

    assert_ne!(units_everywhere(&door).await, "0", "a rollback is one");
    nobody_is_left_in_a_transaction(&app).await;
}

async fn units_everywhere(door: &TenantDb) -> String {
    let count = "SELECT count(*)::text FROM unit";
    let count = door.read(async |tx| text_of(tx, count).await).await;
    count.unwrap()
}
