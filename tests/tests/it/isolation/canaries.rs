//! Three dealers hold the same ids and SKUs, each with a marker word of its own. They work at the
//! same time, on one connection, while work is broken off everywhere: no marker may turn up at
//! another dealer's.

use std::cell::Cell;
use std::time::Duration;

use reqwest::Method;
use sea_orm::{ConnectionTrait, DbErr};
use serde_json::json;
use server::db::TenantDb;
use tests::{Dealer, Reply, Scratch, TestApp, Wire};

const MARKERS: [&str; 3] = ["quartzmarker", "onyxmarker", "topazmarker"];
const SKUS: u64 = 8;
/// Requests of one of the six actors.
const REQUESTS: u64 = 60;

/// What came of the traffic.
#[derive(Default)]
struct Tally {
    answered: Cell<u64>,
    refused_for_now: Cell<u64>,
    broken_off: Cell<u64>,
}

#[actix_web::test]
async fn no_marker_ever_turns_up_at_a_neighbours() {
    let database = Scratch::with_lane_of(1).await;
    let wire = Wire::to(&database).await;
    let keys = [
        ("TUBEX_DATABASE__STATEMENT_TIMEOUT_MS", "150"),
        ("TUBEX_DATABASE__URL", wire.url()),
    ];
    let app = TestApp::start_on(database, &keys).await;
    let mut dealers = Vec::new();
    for marker in MARKERS {
        let dealer = app.dealer().await;
        furnish(&app, &dealer, marker).await;
        dealers.push(dealer);
    }
    let doors = [
        app.door(&dealers[0]).await,
        app.door(&dealers[1]).await,
        app.door(&dealers[2]).await,
    ];
    let quitter = app.new_dealer().await;
    let tally = Tally::default();

    tokio::join!(
        traffic(&dealers[0], 0, 1, &tally),
        traffic(&dealers[1], 1, 2, &tally),
        traffic(&dealers[2], 2, 3, &tally),
        traffic(&dealers[0], 0, 4, &tally),
        traffic(&dealers[1], 1, 5, &tally),
        traffic(&dealers[2], 2, 6, &tally),
        broken_off(&doors, &tally),
        never_answered(&app, &wire, &quitter),
    );

    let (answered, refused) = (tally.answered.get(), tally.refused_for_now.get());
    assert!(
        answered >= 200,
        "{answered} answered, {refused} refused for now"
    );
    assert!(
        refused <= answered / 4,
        "{answered} answered, {refused} refused for now"
    );
    assert!(tally.broken_off.get() >= 20, "{}", tally.broken_off.get());
    for (dealer, marker) in dealers.iter().zip(MARKERS) {
        everything_is_its_own(&app, dealer, marker).await;
    }
}

/// The same SKUs and the same ids for everybody, only the marker differs.
async fn furnish(app: &TestApp, dealer: &Dealer, marker: &str) {
    let group = json!({"name": format!("Group {marker}")});
    let group = dealer.post("/item-groups", group).await.expect(201).json;
    for number in 0..SKUS {
        let fields = json!({
            "name": format!("Brick {marker}"),
            "description": format!("Baked by {marker}"),
            "group_id": group["id"],
            "custom": {"maker": marker},
        });
        dealer.item(&format!("SKU-{number}"), fields).await;
    }
    let schema = app.database.schema_of(&dealer.slug).await;
    app.sql(&format!(
        "UPDATE {schema}.item SET id = ('00000000-0000-7000-8000-00000000000'
         || substr(sku, 5))::uuid WHERE sku LIKE 'SKU-%'"
    ))
    .await;
}

/// One actor at work. What it does next follows from a sequence that is always the same.
async fn traffic(dealer: &Dealer, ours: usize, seed: u64, tally: &Tally) {
    let marker = MARKERS[ours];
    let neighbours = MARKERS[(ours + 1) % MARKERS.len()];
    for step in 0..REQUESTS {
        let dice = (step * 7 + seed * 13) % 11;
        let item = format!("/items/00000000-0000-7000-8000-00000000000{}", step % SKUS);
        let request = match dice {
            0 => dealer.request(Method::GET, "/items?limit=5"),
            1 => dealer.request(Method::GET, "/items?q=brick"),
            2 | 3 => dealer.request(Method::GET, &item),
            4 => dealer
                .request(Method::PATCH, &item)
                .header("if-match", "*")
                .json(&json!({"name": format!("Brick {marker} {step}")})),
            5 => dealer.request(Method::GET, &format!("/items?q={neighbours}")),
            6 => dealer.request(Method::GET, "/item-groups"),
            7 => dealer.request(Method::GET, "/me"),
            8 => dealer
                .request(Method::POST, "/items")
                .json(&json!({"sku": "SKU-1", "name": marker, "base_unit": "pcs"})),
            9 => {
                let sent = dealer.import("", price_file(marker, step));
                tell(tally, &sent.await, marker);
                continue;
            }
            _ => dealer.request(Method::GET, "/units?limit=3"),
        };
        let sent = dealer.send(request);
        if step % 6 == 5 {
            // The client goes away; the server works on.
            let patience = Duration::from_millis(step % 5);
            match tokio::time::timeout(patience, sent).await {
                Ok(reply) => tell(tally, &reply, marker),
                Err(_) => tally.broken_off.set(tally.broken_off.get() + 1),
            }
        } else {
            tell(tally, &sent.await, marker);
        }
    }
}

/// Work that the server itself breaks off: by a time limit of its own, by the statement's.
async fn broken_off(doors: &[TenantDb; 3], tally: &Tally) {
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
        tally
            .broken_off
            .set(tally.broken_off.get() + u64::from(done.is_err()));
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

#[track_caller]
fn tell(tally: &Tally, reply: &Reply, marker: &str) {
    let seen = format!("{:?} {}", reply.headers, reply.text());
    for foreign in MARKERS.iter().filter(|other| **other != marker) {
        assert!(!seen.contains(foreign), "{marker} saw {seen}");
    }
    assert!(!seen.contains("Never kept"), "{seen}");
    match reply.status.as_u16() {
        503 => tally.refused_for_now.set(tally.refused_for_now.get() + 1),
        200 | 409 => tally.answered.set(tally.answered.get() + 1),
        other => panic!("{other}: {seen}"),
    }
}

fn price_file(marker: &str, step: u64) -> String {
    let mut file = "SKU;Name;Unit;Price;Currency\n".to_owned();
    for number in 0..20 {
        file.push_str(&format!("IMP-{number};Slab {marker};pcs;{step}.50;EUR\n"));
    }
    file
}

async fn everything_is_its_own(app: &TestApp, dealer: &Dealer, marker: &str) {
    let schema = app.database.schema_of(&dealer.slug).await;
    let foreign = format!("SELECT count(*) FROM {schema}.item WHERE name NOT LIKE '%{marker}%'");
    let foreign: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(foreign))
        .fetch_one(&mut app.database.connect().await)
        .await
        .unwrap();
    assert_eq!(foreign, 0, "{marker}");
}
