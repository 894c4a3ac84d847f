//! What operators see of background work over the fleet, and do to it.

use serde_json::{Value, json};
use tests::errands::{Begun, registry};
use tests::{Actor, Dealer, TestApp, eventually};

use super::{TestWorker, hand_over, in_state, unfinished};
use crate::platform::{app, operator, recorded};

const JOBS: &str = "/platform/v1/jobs";

async fn overview(who: &Actor) -> Value {
    who.get(JOBS).await.expect(200).json["nodes"][0].clone()
}

fn line<'a>(of: &'a Value, name: &str) -> &'a Value {
    let mut lines = of.as_array().unwrap().iter();
    lines
        .find(|line| line["name"] == name)
        .unwrap_or(&Value::Null)
}

/// What operators did stands in the dealer's own trail.
async fn trail(dealer: &Dealer) -> Vec<(String, Value)> {
    let listed = dealer.get("/audit-records?actor_kind=operator").await;
    let rows = listed.expect(200).json["data"].clone();
    let rows = rows.as_array().unwrap().iter();
    rows.map(|row| {
        (
            row["action"].as_str().unwrap().to_owned(),
            row["after"].clone(),
        )
    })
    .collect()
}

async fn bury_two(app: &TestApp, acme: &Dealer, bolt: &Dealer) {
    hand_over(app, acme, "refuse", "acme's").await;
    hand_over(app, bolt, "refuse", "bolt's").await;
    let _worker = TestWorker::start(app, registry(&Begun::default()));
    eventually("both are dead", async || {
        in_state(&app.database, "dead").await == 2
    })
    .await;
}

#[actix_web::test]
async fn operators_see_queues_kinds_and_tenants_and_dead_letters_of_all() {
    let app = app().await;
    let (acme, bolt) = (app.dealer().await, app.dealer().await);
    bury_two(&app, &acme, &bolt).await;
    for name in ["a", "b"] {
        hand_over(&app, &acme, "nothing", name).await;
    }
    let (viewer, support) = (
        operator(&app, "viewer").await,
        operator(&app, "support").await,
    );

    let seen = overview(&viewer).await;
    assert_eq!(line(&seen["queues"], "quick")["ready"], 2);
    assert_eq!(line(&seen["kinds"], "test.errand")["dead"], 2);
    assert_eq!(line(&seen["tenants"], "acme")["ready"], 2);
    assert_eq!(line(&seen["tenants"], "bolt")["dead"], 1);

    let dead = format!("{JOBS}/dead?kind=test.errand");
    let hidden = viewer.get(&dead).await.expect(200).json["data"].clone();
    let shown = support.get(&format!("{dead}&tenant=bolt")).await;
    let shown = shown.expect(200).json["data"].clone();
    assert_eq!(hidden.as_array().unwrap().len(), 2);
    assert_eq!(hidden[0]["payload"], Value::Null);
    assert_eq!(shown.as_array().unwrap().len(), 1);
    assert_eq!(shown[0]["tenant"], "bolt");
    assert_eq!(shown[0]["payload"]["name"], "bolt's");
    assert_eq!(shown[0]["errors"][0]["error"], "it can't go well");
}

#[actix_web::test]
async fn dead_letters_are_read_page_by_page_even_while_some_are_mended() {
    let app = app().await;
    let acme = app.dealer().await;
    for name in ["a", "b", "c", "d", "e"] {
        hand_over(&app, &acme, "refuse", name).await;
    }
    let worker = TestWorker::start(&app, registry(&Begun::default()));
    eventually("all are dead", async || {
        in_state(&app.database, "dead").await == 5
    })
    .await;
    drop(worker);
    // Some at the very same moment.
    app.sql(
        "UPDATE jobs.job SET ended_at = date_trunc('day', ended_at) WHERE payload->>'name' < 'd'",
    )
    .await;
    let support = operator(&app, "support").await;
    let ids = |page: &Value| -> Vec<String> {
        let rows = page["data"].as_array().unwrap().iter();
        rows.map(|row| row["id"].as_str().unwrap().to_owned())
            .collect()
    };
    let dead = format!("{JOBS}/dead");
    let all = ids(&support.get(&dead).await.expect(200).json);

    let (mut found, mut path) = (Vec::new(), format!("{dead}?limit=2"));
    loop {
        let page = support.get(&path).await.expect(200).json;
        let page_ids = ids(&page);
        assert!(page_ids.len() <= 2, "{page}");
        // The page's last is gone before the next is asked for.
        let last = json!({"ids": [page_ids.last().unwrap()]});
        let discard = support.post(&format!("{JOBS}/discard"), last).await;
        discard.expect(200);
        found.extend(page_ids);
        let Some(next) = page["next"].as_str() else {
            break;
        };
        path = format!("{dead}?limit=2&before={next}");
    }

    assert_eq!((all.len(), &found), (5, &all));
    for nonsense in [
        "x",
        "1_2",
        "-1_00000000000000000000000000000000",
        "99999999999999999999_",
    ] {
        let refused = support.get(&format!("{dead}?before={nonsense}")).await;
        assert_eq!(refused.expect(400).problem(), "cursor_invalid");
    }
}

#[actix_web::test]
async fn what_is_done_to_the_jobs_of_all_stands_on_the_platforms_record() {
    let app = app().await;
    let support = operator(&app, "support").await;
    let pauses = format!("{JOBS}/pauses");

    let pause = json!({"kind": "test.errand", "reason": "a look"});
    support.post(&pauses, pause).await.expect(204);
    let this = format!("{pauses}?kind=test.errand");
    support.delete(&this).await.expect(204);

    recorded(&app, "jobs_paused", 1).await;
    recorded(&app, "jobs_resumed", 1).await;
    let said: String = sqlx::query_scalar(
        "SELECT detail::text FROM platform.security_event WHERE kind = 'jobs_paused'",
    )
    .fetch_one(&mut app.database.connect().await)
    .await
    .unwrap();
    let said: Value = serde_json::from_str(&said).unwrap();
    let told = json!({"kind": "test.errand", "reason": "a look"});
    assert_eq!(said["told"], told);
    let me = support.get("/platform/v1/me").await.expect(200).json;
    assert_eq!(said["operator"], me["id"]);
}

#[actix_web::test]
async fn what_operators_retry_and_discard_stands_in_the_dealers_trails() {
    let app = app().await;
    let (acme, bolt) = (app.dealer().await, app.dealer().await);
    bury_two(&app, &acme, &bolt).await;
    let support = operator(&app, "support").await;
    let changed = async |what: &str, body: Value| {
        let reply = support.post(&format!("{JOBS}/{what}"), body).await;
        reply.expect(200).json["changed"].as_u64().unwrap()
    };

    assert_eq!(changed("retry", json!({"tenant": "acme"})).await, 1);
    assert_eq!(in_state(&app.database, "ready").await, 1);
    assert_eq!(changed("discard", json!({"kind": "test.errand"})).await, 1);
    assert_eq!(in_state(&app.database, "dead").await, 0);

    assert_eq!(
        trail(&acme).await,
        [("job.retry".to_owned(), json!({"kind": null, "changed": 1}))]
    );
    let kind = json!({"kind": "test.errand", "changed": 1});
    assert_eq!(trail(&bolt).await, [("job.discard".to_owned(), kind)]);
    let nobody = json!({"tenant": "nobody"});
    support
        .post(&format!("{JOBS}/retry"), nobody)
        .await
        .expect(404);
    support
        .post(&format!("{JOBS}/discard"), json!({}))
        .await
        .expect(422);
}

#[actix_web::test]
async fn operators_pause_a_dealers_jobs_or_a_kind_and_let_them_go_on() {
    let app = app().await;
    let (acme, bolt) = (app.dealer().await, app.dealer().await);
    let support = operator(&app, "support").await;
    let pauses = format!("{JOBS}/pauses");
    let begun = Begun::default();
    let _worker = TestWorker::start(&app, registry(&begun));

    let pause = json!({"tenant": "acme", "kind": "test.errand", "reason": "a look"});
    support.post(&pauses, pause).await.expect(204);
    hand_over(&app, &acme, "nothing", "paused").await;
    hand_over(&app, &bolt, "nothing", "not paused").await;
    eventually("one is held and one is done", async || {
        in_state(&app.database, "held").await == 1 && unfinished(&app.database).await == 1
    })
    .await;
    let seen = overview(&support).await;
    assert_eq!(
        (&seen["pauses"][0]["tenant"], &seen["pauses"][0]["reason"]),
        (&json!("acme"), &json!("a look"))
    );

    let this = format!("{pauses}?tenant=acme&kind=test.errand");
    support.delete(&this).await.expect(204);
    eventually("it went on", async || unfinished(&app.database).await == 0).await;
    assert_eq!(
        support.delete(&this).await.expect(404).problem(),
        "pause_not_found"
    );
    let actions: Vec<_> = trail(&acme).await.into_iter().map(|it| it.0).collect();
    assert_eq!(actions, ["job.resume", "job.resume", "job.pause"]);
}
