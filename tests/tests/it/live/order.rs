//! The order of the log is the order in which things became visible.

use server::audit::{Actor, Change, Stamp};
use server::events::{Event, kind_named, publish, record};
use tests::{EventStream, TestApp, eventually};

use super::{ids, log_after, new_unit};

/// With a sequence, the second would be seen with the larger id, and the first never, by whoever has
/// seen the second.
#[actix_web::test]
async fn a_slow_transaction_cannot_slip_in_behind_a_quick_one() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    new_unit(&acme, "before").await;
    let mut stream = EventStream::open(&acme, "/events", None).await;
    let begin: i64 = stream.last_id.parse().unwrap();
    let slow = app.door(&acme).await.begin().await.unwrap();
    let event = Event {
        kind: kind_named("item.updated").unwrap(),
        audience: None,
        data: serde_json::json!({"id": "slow", "changed": []}),
    };
    publish(&slow, &event, app.state.clock.now()).await.unwrap();

    let quick = actix_web::rt::spawn({
        let acme = acme.owner.clone();
        async move { new_unit(&acme, "quick").await }
    });
    waits_for_a_lock(&app).await;
    assert!(!quick.is_finished(), "it waits for its turn");
    slow.commit().await.unwrap();
    quick.await.unwrap();

    let heard = stream
        .until(|heard| heard.data["data"]["id"] == "quick")
        .await;
    assert_eq!(heard[0].data["data"]["id"], "slow");
    assert_eq!(ids(&heard), [begin + 1, begin + 2]);
}

#[actix_web::test]
async fn what_is_rolled_back_is_not_told_and_leaves_no_gap() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let mut stream = EventStream::open(&acme, "/events", None).await;
    let begin: i64 = stream.last_id.parse().unwrap();
    let undone = app.door(&acme).await.begin().await.unwrap();
    let event = Event {
        kind: kind_named("item.updated").unwrap(),
        audience: None,
        data: serde_json::json!({"id": "undone", "changed": []}),
    };
    publish(&undone, &event, app.state.clock.now())
        .await
        .unwrap();
    drop(undone);

    new_unit(&acme, "done").await;

    let heard = stream.next().await.unwrap();
    assert_eq!(heard.data["data"]["id"], "done");
    assert_eq!(heard.id, (begin + 1).to_string());
}

/// One puts a change on record and then tells of something, the other the other way round: neither
/// waits for one that waits for it.
#[actix_web::test]
async fn records_and_news_may_come_in_any_order() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let begin = super::head(&app, &acme).await;
    let stamp = Stamp {
        actor: Actor::System,
        request_id: None,
        address: None,
        at: app.state.clock.now(),
    };
    let event = Event {
        kind: kind_named("item.updated").unwrap(),
        audience: None,
        data: serde_json::json!({"id": "news", "changed": []}),
    };
    let change = Change::of_all("item.change", "item");
    let write = async |news_first: bool| {
        let door = app.door(&acme).await;
        for _ in 0..40 {
            let written = door.write(async |tx| {
                if news_first {
                    publish(tx, &event, stamp.at).await?;
                }
                record(tx, &stamp, &change).await?;
                if !news_first {
                    publish(tx, &event, stamp.at).await?;
                }
                Ok::<_, sea_orm::DbErr>(())
            });
            written.await.unwrap();
        }
    };

    tokio::join!(write(true), write(false));

    let told = log_after(&app.database, "acme", begin).await;
    let expected: Vec<_> = (begin + 1..=begin + 160).collect();
    assert_eq!(told, expected);
}

async fn waits_for_a_lock(app: &TestApp) {
    let mut connection = app.database.connect().await;
    let waiting = "SELECT count(*) FROM pg_stat_activity
         WHERE datname = current_database() AND wait_event_type = 'Lock'";
    eventually("somebody waits", async || {
        let waiting = sqlx::query_scalar::<_, i64>(waiting).fetch_one(&mut connection);
        waiting.await.unwrap() > 0
    })
    .await;
}
