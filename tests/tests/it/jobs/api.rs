//! What a dealer's admins see of background work, and do to it.

use serde_json::{Value, json};
use tests::errands::{Begun, registry};
use tests::{Dealer, TestApp, eventually};
use uuid::Uuid;

use super::{TestWorker, count, hand_over, in_state, unfinished};

/// Dead letters of a dealer: they refuse, or fail until nobody tries again.
async fn dead_letters(app: &TestApp, dealer: &Dealer, names: &[&str]) -> Vec<Uuid> {
    let mut ids = Vec::new();
    for name in names {
        let does = if name.starts_with("refused") {
            "refuse"
        } else {
            "fail"
        };
        ids.push(hand_over(app, dealer, does, name).await);
    }
    let _worker = TestWorker::start(app, registry(&Begun::default()));
    let all = i64::try_from(names.len()).unwrap();
    eventually("all are dead", async || {
        in_state(&app.database, "dead").await == all && unfinished(&app.database).await == 0
    })
    .await;
    ids
}

fn ids(listed: &Value) -> Vec<String> {
    let rows = listed["data"].as_array().unwrap().iter();
    rows.map(|row| row["id"].as_str().unwrap().to_owned())
        .collect()
}

#[actix_web::test]
async fn dead_letters_are_listed_by_state_and_kind_page_by_page() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let all = dead_letters(&app, &acme, &["refused a", "failed b", "refused c"]).await;
    hand_over(&app, &acme, "nothing", "ready").await;
    let newest: Vec<String> = all.iter().rev().map(Uuid::to_string).collect();

    let dead = acme.get("/jobs?state=dead&limit=2").await.expect(200).json;
    assert_eq!(ids(&dead), newest[..2]);
    let next = dead["next"].as_str().unwrap();
    let rest = acme
        .get(&format!("/jobs?state=dead&limit=2&cursor={next}"))
        .await;
    assert_eq!(ids(&rest.expect(200).json), newest[2..]);

    let failed = &dead["data"][1];
    assert_eq!(failed["kind"], "test.errand");
    assert_eq!(
        (&failed["attempts"], &failed["state"]),
        (&json!(3), &json!("dead"))
    );
    assert_eq!(failed["last_error"], "it was told to");
    let of_all = acme.get("/jobs?kind=test.errand").await.expect(200).json;
    assert_eq!(ids(&of_all).len(), 4);
    let of_none = acme.get("/jobs?kind=mail.send").await.expect(200).json;
    assert_eq!(of_none["data"], json!([]));
}

#[actix_web::test]
async fn a_dead_letter_tells_each_attempt_and_to_those_who_may_retry_it_what_it_carries() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let manager = app.member(&acme, "branch_manager").await;
    let id = dead_letters(&app, &acme, &["failed"]).await[0];
    let path = format!("/jobs/{id}");

    let shown = acme.get(&path).await.expect(200).json;
    let hidden = manager.get(&path).await.expect(200).json;

    assert_eq!(shown["payload"]["name"], "failed");
    assert_eq!(hidden["payload"], Value::Null);
    let numbers = shown["errors"].as_array().unwrap().iter();
    let numbers: Vec<_> = numbers.map(|error| error["attempt"].as_i64()).collect();
    assert_eq!(numbers, [Some(1), Some(2), Some(3)]);
    manager
        .post(&format!("{path}/retry"), json!({}))
        .await
        .expect(403);
}

#[actix_web::test]
async fn a_job_can_be_retried_and_discarded_where_it_stands_right() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let ids = dead_letters(&app, &acme, &["refused a", "refused b"]).await;
    let said =
        async |id: Uuid, what: &str| acme.post(&format!("/jobs/{id}/{what}"), json!({})).await;

    let again = said(ids[0], "retry").await.expect(200).json;
    assert_eq!(
        (&again["state"], &again["max_attempts"]),
        (&json!("ready"), &json!(3))
    );
    assert_eq!(
        said(ids[0], "retry").await.expect(409).problem(),
        "job_state_wrong"
    );
    said(ids[1], "discard").await.expect(204);
    assert_eq!(
        said(ids[1], "discard").await.expect(404).problem(),
        "job_not_found"
    );

    let begun = Begun::default();
    let _worker = TestWorker::start(&app, registry(&begun));
    eventually("it is dead again", async || {
        in_state(&app.database, "dead").await == 1
    })
    .await;
    assert_eq!(begun.lock().unwrap().get("refused a"), Some(&1));
    let twice = "SELECT count(*) FROM jobs.job WHERE jsonb_array_length(errors) = 2";
    assert_eq!(count(&app.database, twice).await, 1);
}

#[actix_web::test]
async fn many_are_changed_at_once_by_ids_or_by_what_they_are_and_never_a_neighbours() {
    let app = TestApp::start().await;
    let (acme, bolt) = (app.dealer().await, app.dealer().await);
    let ours = dead_letters(&app, &acme, &["refused a", "refused b", "refused c"]).await;
    hand_over(&app, &bolt, "refuse", "theirs").await;
    app.sql("UPDATE jobs.job SET state = 'dead', ended_at = now() WHERE state = 'ready'")
        .await;
    let changed = async |what: &str, body: Value| {
        let reply = acme.post(&format!("/jobs/{what}"), body).await.expect(200);
        reply.json["changed"].as_u64().unwrap()
    };
    let theirs = bolt.get("/jobs").await.expect(200).json["data"][0]["id"].clone();

    assert_eq!(changed("retry", json!({"ids": [ours[0], theirs]})).await, 1);
    assert_eq!(changed("discard", json!({"kind": "test.errand"})).await, 2);
    assert_eq!(changed("discard", json!({"state": "ready"})).await, 1);

    assert_eq!(acme.get("/jobs").await.expect(200).json["data"], json!([]));
    assert_eq!(in_state(&app.database, "dead").await, 1);
    let both = json!({"ids": [ours[0]], "kind": "x"});
    acme.post("/jobs/retry", both).await.expect(422);
}
