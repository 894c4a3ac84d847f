//! Three canaries in mixed traffic, on one connection, while work is broken off everywhere: by their
//! clients, by time limits, and by answers that never come.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use sea_orm::{ConnectionTrait, DbErr};
use server::db::TenantDb;
use tests::canary::{Ears, Flock, Options, Report, Target, run};
use tests::{Dealer, Scratch, ServerProcess, TestApp, Wire};

/// The ready dealers.
pub const READY: [&str; 3] = ["acme", "bolt", "core"];

#[actix_web::test]
async fn no_marker_ever_turns_up_at_a_neighbours() {
    let database = Arc::new(Scratch::with_lane_of(1).await);
    let wire = Wire::to(&database).await;
    let keys = [
        ("TUBEX_DATABASE__STATEMENT_TIMEOUT_MS", "150"),
        ("TUBEX_DATABASE__URL", wire.url()),
        ("TUBEX_JOBS__INSIDE", "true"),
    ];
    let app = TestApp::start_on(database.clone(), &keys).await;
    let target = Target::new(app.base());
    let flock = Arc::new(Flock::furnish(&database, &target, &READY).await);
    let doors = [
        app.door(&app.dealer().await).await,
        app.door(&app.dealer().await).await,
        app.door(&app.dealer().await).await,
    ];
    let quitter = app.new_dealer().await;
    let broken_off_by_us = Cell::new(0);

    let targets = [target];
    let ears = Ears::listen(&flock, &targets).await;
    let (mut report, (), ()) = tokio::join!(
        run(&flock, &targets, Options::default()),
        broken_off(&doors, &broken_off_by_us),
        never_answered(&app, &wire, &quitter),
    );

    flock.come_to_rest(&targets[0], &mut report).await;
    ears.compare(&database, &mut report).await;
    flock.look_around(&database, &mut report).await;
    expect_much(&report.expect_clean(), 1000);
    assert!(broken_off_by_us.get() >= 20, "{}", broken_off_by_us.get());
}

#[actix_web::test]
async fn no_marker_ever_turns_up_on_another_node() {
    let database = Scratch::across_nodes().await;

    let report = canaries_at_a_server(&database, &[], 300).await;

    expect_much(&report, 300);
}

/// The proof that the others prove something.
#[actix_web::test]
async fn a_marker_at_a_neighbours_would_be_found() {
    let app = TestApp::start_with(&[("TUBEX_JOBS__INSIDE", "true")]).await;
    let target = Target::new(app.base());
    let flock = Flock::furnish(&app.database, &target, &READY[..2]).await;
    let (theirs, flock) = (flock.canaries[1].marker.clone(), Arc::new(flock));
    let schema = app.database.schema_of("acme").await;
    app.sql(&format!(
        "UPDATE {schema}.item SET description = '{theirs}' WHERE sku = 'SKU-3'"
    ))
    .await;
    let options = Options {
        requests: 100,
        ..Options::default()
    };

    let targets = [target];
    let ears = Ears::listen(&flock, &targets).await;
    // Told by somebody who mistook one dealer for the other.
    app.sql(&format!(
        "WITH head AS (UPDATE {schema}.event_head SET last_id = last_id + 1 RETURNING last_id)
         INSERT INTO {schema}.event (id, kind, topic, at, data)
         SELECT last_id, 'item.updated', 'items', now(), '{{\"id\": \"{theirs}\"}}' FROM head"
    ))
    .await;

    let mut report = run(&flock, &targets, options).await;
    let seen = report.findings.len();
    ears.compare(&app.database, &mut report).await;
    let heard = report.findings.len() - seen;
    flock.come_to_rest(&targets[0], &mut report).await;
    let taken = report.findings.len() - seen - heard;
    flock.look_around(&app.database, &mut report).await;

    assert!(seen > 0, "in the answers: {report}");
    assert!(heard > 0, "in the stream: {report}");
    assert!(taken > 0, "in the files: {report}");
    assert!(
        report.findings.len() > seen + heard + taken,
        "in the rows: {report}"
    );
}

/// Sends canaries to a real server, whose log and metrics are looked at as well.
pub async fn canaries_at_a_server(
    database: &Scratch,
    keys: &[(&str, &str)],
    requests: u64,
) -> Report {
    let keys = [keys, &[("TUBEX_JOBS__INSIDE", "true")]].concat();
    let server = ServerProcess::start(database, &keys, "canary").await;
    let target = Target::new(server.base());
    let flock = Arc::new(Flock::furnish(database, &target, &READY).await);
    let options = Options {
        requests,
        ..Options::default()
    };

    let targets = [target];
    let ears = Ears::listen(&flock, &targets).await;
    let mut report = run(&flock, &targets, options).await;

    flock.come_to_rest(&targets[0], &mut report).await;
    ears.compare(database, &mut report).await;
    server.look_for_breaches(&mut report).await;
    flock.look_around(database, &mut report).await;
    report.expect_clean()
}

/// Whether the traffic was what it was meant to be: most of it answered, some broken off.
pub fn expect_much(report: &Report, requests: u64) {
    assert_eq!(report.requests(), requests, "{report}");
    assert!(report.answered >= requests / 2, "{report}");
    assert!(report.refused_for_now <= report.answered / 4, "{report}");
    assert!(report.broken_off >= requests / 20, "{report}");
}

/// Work that the server itself breaks off: by a time limit of its own, by the statement's.
async fn broken_off(doors: &[TenantDb; 3], count: &Cell<u64>) {
    for step in 0..60_u64 {
        let door = &doors[usize::try_from(step % 3).unwrap()];
        let sleep = if step % 20 == 19 { "5" } else { "0.004" };
        let work = door.write(async |tx| {
            tx.execute_unprepared("UPDATE item SET name = 'Never kept'")
                .await?;
            let sleep = format!("SELECT pg_sleep({sleep})");
            tx.execute_unprepared(&sleep).await?;
            Err::<(), _>(DbErr::Custom("given up".to_owned()))
        });
        let done = tokio::time::timeout(Duration::from_millis(step % 7 * 3), work).await;
        count.set(count.get() + u64::from(done.is_err()));
    }
}

/// A fourth dealer on the same lane, who goes away each time before the answer to its start or to
/// its commit has come: such connections sqlx 0.9.0 would give to the next borrower.
async fn never_answered(app: &TestApp, wire: &Wire, quitter: &Dealer) {
    let schema = app.database.schema_of(&quitter.slug).await;
    let door = app.door(quitter).await;
    for _ in 0..12 {
        wire.hold_after(&format!("SET LOCAL ROLE {schema}"));
        tokio::select! {
            begun = door.begin() => assert!(begun.is_err(), "its answer is held back"),
            () = wire.holds() => {}
        }
        wire.mend();

        let Ok(tx) = door.begin().await else { continue };
        wire.hold_after("COMMIT");
        tokio::select! {
            _ = tx.commit() => panic!("its answer is held back"),
            () = wire.holds() => {}
        }
        wire.mend();
    }
}
