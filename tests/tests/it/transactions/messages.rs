//! What a request sends to its database: its own statements, and one message to begin with.

use serde_json::json;
use tests::{Asked, Scratch, TestApp, Wire, eventually};

#[actix_web::test]
async fn a_read_adds_its_start_and_its_end_and_nothing_else() {
    let database = Scratch::with_lane_of(1).await;
    let wire = Wire::to(&database).await;
    let app = TestApp::start_on(database, &[("TUBEX_DATABASE__URL", wire.url())]).await;
    let acme = app.dealer().await;
    let item = acme.item("ONE", json!({})).await;
    let path = format!("/items/{}", item["id"].as_str().unwrap());
    let schema = app.database.schema_of(&acme.slug).await;
    wire.record();
    for _ in 0..3 {
        acme.get(&path).await.expect(200);
    }
    all_have_ended(&wire).await;
    wire.record();

    acme.get(&path).await.expect(200);

    all_have_ended(&wire).await;
    let asked = wire.asked_by_lanes();
    let [start, statements @ .., end] = &asked[..] else {
        panic!("{asked:#?}");
    };
    assert!(is_query(start, "BEGIN READ ONLY;"), "{asked:#?}");
    assert!(is_query(end, "ROLLBACK"), "{asked:#?}");
    assert!(!statements.is_empty());
    for statement in statements {
        // Prepared before, and the dealer's own.
        let Asked::Execute(sql) = statement else {
            panic!("{statement:?} in {asked:#?}");
        };
        assert!(sql.starts_with(&format!("/*{schema}*/")), "{sql}");
    }
}

#[actix_web::test]
async fn a_write_adds_its_start_and_its_commit_and_nothing_else() {
    let database = Scratch::with_lane_of(1).await;
    let wire = Wire::to(&database).await;
    let app = TestApp::start_on(database, &[("TUBEX_DATABASE__URL", wire.url())]).await;
    let acme = app.dealer().await;
    let item = acme.item("ONE", json!({})).await;
    let path = format!("/items/{}", item["id"].as_str().unwrap());
    wire.record();
    for version in 1..4 {
        let change = json!({"name": format!("Changed {version}")});
        acme.patch(&path, version, change).await.expect(200);
    }
    all_have_ended(&wire).await;
    wire.record();
    let change = json!({"name": "Changed again"});

    acme.patch(&path, 4, change).await.expect(200);

    all_have_ended(&wire).await;
    let asked = wire.asked_by_lanes();
    let starts = asked.iter().filter(|asked| is_query(asked, "BEGIN"));
    let simple = asked.iter().filter(|asked| is_query(asked, ""));
    let ends = asked.iter().filter(|asked| is_end(asked));
    let (starts, simple, ends) = (starts.count(), simple.count(), ends.count());
    assert_eq!(simple, starts + ends, "{asked:#?}");
    assert_eq!(starts, ends, "{asked:#?}");
    let commits = asked.iter().filter(|asked| is_query(asked, "COMMIT"));
    assert_eq!(commits.count(), 1, "{asked:#?}");
    let idle = asked.iter().filter(|asked| **asked == Asked::Sync);
    assert_eq!(idle.count(), 0, "{asked:#?}");
}

/// Waits until every transaction has ended whose start was written down: the end of a read is sent
/// when nobody waits for it any more.
async fn all_have_ended(wire: &Wire) {
    eventually("the transactions have ended", async || {
        let asked = wire.asked_by_lanes();
        let count = |is_it: fn(&Asked) -> bool| asked.iter().filter(|asked| is_it(asked)).count();
        let starts = count(|asked| is_query(asked, "BEGIN"));
        starts > 0 && count(is_end) >= starts
    })
    .await;
}

fn is_end(asked: &Asked) -> bool {
    is_query(asked, "COMMIT") || is_query(asked, "ROLLBACK")
}

fn is_query(asked: &Asked, beginning: &str) -> bool {
    matches!(asked, Asked::Query(sql) if sql.starts_with(beginning))
}
