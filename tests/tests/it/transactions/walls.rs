//! What the database itself refuses within a dealer's transaction.

use std::time::{Duration, Instant};

use sea_orm::ConnectionTrait;
use tests::{Scratch, TestApp};

use super::{sqlstate, text_of, themselves, who};

#[actix_web::test]
async fn a_read_can_not_write() {
    let app = TestApp::start().await;
    let door = app.door(&app.dealer().await).await;

    for write in [
        "UPDATE member SET name = 'x'",
        "DELETE FROM session",
        "CREATE TABLE mine (id int)",
        "SELECT 1 FROM member FOR UPDATE",
    ] {
        let refused = door
            .read(async |tx| tx.execute_unprepared(write).await)
            .await
            .expect_err(write);
        assert_eq!(sqlstate(&refused), "25006", "{write}");
    }
}

#[actix_web::test]
async fn a_statement_that_names_a_neighbours_table_is_refused_by_the_database() {
    let app = TestApp::start().await;
    let (acme, bolt) = (app.dealer().await, app.dealer().await);
    let theirs = app.database.schema_of(&bolt.slug).await;
    let door = app.door(&acme).await;

    for attack in [
        format!("SELECT * FROM {theirs}.item"),
        format!("SELECT password_hash FROM {theirs}.member"),
        format!("INSERT INTO {theirs}.unit (code, name) VALUES ('x', 'x')"),
        format!("UPDATE {theirs}.member SET name = 'x'"),
        format!("DELETE FROM {theirs}.session"),
        format!("TRUNCATE {theirs}.item CASCADE"),
        format!("LOCK TABLE {theirs}.item"),
        format!("CREATE TABLE {theirs}.mine (id int)"),
        format!("COPY {theirs}.item TO STDOUT"),
        "SELECT * FROM platform.tenant".to_owned(),
        "UPDATE platform.tenant SET status = 'suspended'".to_owned(),
        "CREATE TABLE public.mine (id int)".to_owned(),
        "CREATE TEMPORARY TABLE member (id int)".to_owned(),
        "CREATE TABLE mine (id int)".to_owned(),
        "SELECT pg_notify('tubex_directory', '*')".to_owned(),
        "SELECT lo_create(0)".to_owned(),
        "SELECT pg_advisory_lock(1)".to_owned(),
        "SELECT query FROM pg_stat_activity".to_owned(),
        "SELECT n_live_tup FROM pg_stat_user_tables".to_owned(),
    ] {
        let refused = door
            .write(async |tx| tx.execute_unprepared(&attack).await)
            .await
            .expect_err(&attack);
        assert_eq!(sqlstate(&refused), "42501", "{attack}: {refused}");
    }
}

#[actix_web::test]
async fn a_lane_may_read_nothing_before_it_takes_a_role() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let schema = app.database.schema_of(&acme.slug).await;
    let door = app.door(&acme).await;

    let refused = door
        .write(async |tx| {
            tx.execute_unprepared("RESET ROLE").await?;
            tx.execute_unprepared(&format!("SELECT * FROM {schema}.item"))
                .await
        })
        .await
        .expect_err("the login itself has no rights");

    assert_eq!(sqlstate(&refused), "42501");
}

#[actix_web::test]
async fn a_statement_that_takes_too_long_is_ended_and_its_connection_serves_on() {
    let keys = [("TUBEX_DATABASE__STATEMENT_TIMEOUT_MS", "100")];
    let app = TestApp::start_on(Scratch::with_lane_of(1).await, &keys).await;
    let (acme, bolt) = (app.dealer().await, app.dealer().await);
    let (slow, next) = (app.door(&acme).await, app.door(&bolt).await);
    let started = Instant::now();

    let ended = slow
        .read(async |tx| text_of(tx, "SELECT pg_sleep(60)::text").await)
        .await;

    assert_eq!(sqlstate(&ended.expect_err("60 s are too long")), "57014");
    assert!(started.elapsed() < Duration::from_secs(20));
    assert_eq!(who(&next).await, themselves(&app, &bolt).await);
}

/// Postgres rolls such a transaction back and calls that success.
#[actix_web::test]
async fn a_transaction_with_a_refused_statement_is_never_called_committed() {
    let app = TestApp::start_on(Scratch::with_lane_of(1).await, &[]).await;
    let door = app.door(&app.dealer().await).await;
    let add = "INSERT INTO unit (code, name, symbol, decimals) VALUES ('lost', 'L', 'l', 0)";

    let done = door
        .write(async |tx| {
            tx.execute_unprepared(add).await?;
            let refused = tx.execute_unprepared("SELECT 1 / 0").await;
            assert!(refused.is_err());
            Ok::<_, sea_orm::DbErr>(())
        })
        .await;

    assert!(done.is_err(), "nothing was kept, and that must be said");
    let count = "SELECT count(*)::text FROM unit WHERE code = 'lost'";
    let count = door.read(async |tx| text_of(tx, count).await).await;
    assert_eq!(count.unwrap(), "0");
}
