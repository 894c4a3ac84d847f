//! A server that is told to stop ends what it has begun.

use std::net::TcpListener;

use serde_json::json;
use sqlx::{Connection, Executor};
use tests::{Scratch, eventually};
use tokio::net::TcpStream;

use super::program::{Program, command};

#[actix_web::test]
async fn a_request_in_progress_gets_its_answer_and_a_new_one_is_refused() {
    let database = Scratch::with_dealers().await;
    let mut program = Program::start("api", &database, &[]).await;
    let acme = program.owner("acme").await;
    let item = acme.item("SLOW", json!({})).await;
    let path = format!("/items/{}", item["id"].as_str().unwrap());
    let schema = database.schema_of("acme").await;
    let mut holder = database.connect().await;
    let mut held = holder.begin().await.unwrap();
    let lock = format!("SELECT 1 FROM {schema}.item FOR UPDATE");
    held.execute(sqlx::AssertSqlSafe(lock)).await.unwrap();

    let slow = actix_web::rt::spawn({
        let (acme, path) = (acme.clone(), path.clone());
        async move { acme.patch(&path, 1, json!({"name": "In the end"})).await }
    });
    waits_for_a_lock(&database).await;
    program.terminate();
    let address = program.address().to_owned();
    eventually("new connections are refused", async || {
        TcpStream::connect(&address).await.is_err()
    })
    .await;
    assert!(!slow.is_finished(), "the request still waits");
    held.commit().await.unwrap();

    let reply = slow.await.unwrap().expect(200);
    assert_eq!(reply.json["name"], "In the end");
    assert_eq!(program.ended().await.code(), Some(0));
    let messages: Vec<_> = program.events();
    assert!(messages.iter().any(|event| event["message"] == "stopped"));
}

#[actix_web::test]
async fn an_idle_server_stops_at_once_and_leaves_no_connection() {
    let database = Scratch::with_dealers().await;
    let mut program = Program::start("api", &database, &[]).await;
    program.owner("acme").await;

    program.terminate();

    assert_eq!(program.ended().await.code(), Some(0));
    let mut connection = database.connect().await;
    let left = "SELECT count(*) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()";
    eventually("all connections are closed", async || {
        let left = sqlx::query_scalar::<_, i64>(left).fetch_one(&mut connection);
        left.await.unwrap() == 0
    })
    .await;
}

#[actix_web::test]
async fn a_taken_port_is_said_plainly() {
    let database = Scratch::with_dealers().await;
    let holder = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let taken = holder.local_addr().unwrap().to_string();

    let keys = [("TUBEX_HTTP__LISTEN", taken.as_str())];
    let output = command(&database, &keys).arg("api").output().unwrap();

    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(
        said.contains("cannot listen on") && said.contains(&taken),
        "{said}"
    );
}

async fn waits_for_a_lock(database: &Scratch) {
    let mut connection = database.connect().await;
    let waiting = "SELECT count(*) FROM pg_stat_activity
         WHERE datname = current_database() AND wait_event_type = 'Lock'";
    eventually("the request waits for the lock", async || {
        let waiting = sqlx::query_scalar::<_, i64>(waiting).fetch_one(&mut connection);
        waiting.await.unwrap() == 1
    })
    .await;
}
