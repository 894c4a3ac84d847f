//! The local stack against real programs: it survives `kill -9`, takes over, and ends in order.

use std::mem;
use std::time::Duration;

use tests::local::account::Account;
use tests::local::place::ThrowAway;
use tests::local::postgres::{self, DATABASE};
use tests::local::process::{self, Signal, Target};
use tests::local::{Durability, Postgres, Redis, port};

fn folder() -> ThrowAway {
    Account::detect()
        .and_then(|account| ThrowAway::create(&account))
        .expect("there is a temporary folder that a database can live in")
}

#[test]
fn postgres_starts_again_after_kill_nine_and_stops_when_told() {
    let folder = folder();
    let dir = folder.path().join("postgres");
    let mut first = Postgres::start(&dir, Durability::Kept).unwrap();
    let (pid, url) = (first.pid().unwrap(), first.url(DATABASE));
    assert!(postgres::answers(first.port()));

    process::send(Signal::Kill, Target::Process(pid));
    assert!(process::wait_gone(pid, Duration::from_secs(10)));
    assert!(first.obituary().is_some());
    drop(first);
    let mut second = Postgres::start(&dir, Durability::Kept).unwrap();

    assert_ne!(second.pid(), Some(pid));
    assert_eq!(
        second.url(DATABASE),
        url,
        "the address stays, port and password included"
    );
    assert!(postgres::answers(second.port()));
    assert_eq!(second.obituary(), None);
    let port = second.port();
    second.stop().unwrap();
    assert!(port::is_free(port));
}

#[test]
fn a_postgres_whose_starter_is_gone_is_taken_over() {
    let folder = folder();
    let dir = folder.path().join("postgres");
    let first = Postgres::start(&dir, Durability::ThrowAway).unwrap();
    let pid = first.pid();
    // What a killed starter leaves: nobody stops it.
    mem::forget(first);

    let second = Postgres::start(&dir, Durability::ThrowAway).unwrap();

    assert_eq!(second.pid(), pid);
    let port = second.port();
    second.stop().unwrap();
    assert!(port::is_free(port));
}

#[test]
fn redis_asks_for_its_password_and_replaces_what_a_killed_run_left() {
    let folder = folder();
    let dir = folder.path().join("redis");
    let first = Redis::start(&dir).unwrap();
    let (first_port, first_url) = (first.port(), first.url());
    assert!(first.answers());
    mem::forget(first);

    let second = Redis::start(&dir).unwrap();

    assert_ne!(second.url(), first_url);
    assert!(second.answers());
    assert!(port::is_free(first_port) || first_port == second.port());
    let port = second.port();
    second.stop().unwrap();
    assert!(port::is_free(port));
}
