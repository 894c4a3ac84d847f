//! Values that are written into the text of a statement: they are what was meant, whatever is in them.

use sea_orm::{DbErr, Value};
use serde::{Deserialize, Serialize};
use serde_json::json;
use server::db::{Failure, failure_of};
use server::jobs::{Enqueue, Job, Queue, enqueue};
use tests::{Asked, Scratch, TestApp, Wire};

use super::parting::{ADD, add, jobs, units_of};
use super::text_of;

/// A job that carries any text.
#[derive(Debug, Serialize, Deserialize)]
struct Carried(serde_json::Value);

impl Job for Carried {
    const KIND: &'static str = "test.carried";
    const QUEUE: Queue = Queue::Quick;
}

#[actix_web::test]
async fn a_value_is_what_was_meant_whatever_is_in_it() {
    let app = TestApp::start_on(Scratch::with_lane_of(1).await, &[]).await;
    let door = app.door(&app.dealer().await).await;
    let controls: String = ('\u{1}'..='\u{9f}').collect();
    let texts = [
        "",
        "'",
        "''",
        "\\",
        "\\'",
        "'\\",
        "\\\\'; COMMIT; DROP TABLE unit; --",
        "'); ROLLBACK; --",
        "\"",
        "$1",
        "$2 ? :name %s {}",
        "$$",
        "$body$ $1 $body$",
        "; -- /* */",
        "/* never ended",
        "E'\\x27'",
        "U&'\\0027'",
        "first\nsecond\r\n\tthird",
        "\\0\\047\\u0027",
        "ʼ ＇ ’ ´ \u{2028}\u{feff}",
        "🧵👨‍👩‍👧 ß Ω 漢字",
        &controls,
    ];

    let expected = door
        .write(async |tx| {
            let mut expected = Vec::new();
            for (number, text) in texts.iter().enumerate() {
                let payload = json!({*text: [*text, {"deep": *text}], "n": -1.5e-7, "no": null});
                let how = Enqueue::now().trace(Some((*text).to_owned()));
                let id = enqueue(tx, &Carried(payload.clone()), how).await?;
                let values = vec![
                    format!("at_{number}").into(),
                    (*text).into(),
                    Value::from(6_i16),
                ];
                tx.at_commit(ADD, values)?;
                expected.push((id, payload, (*text).to_owned()));
            }
            Ok::<_, DbErr>(expected)
        })
        .await
        .unwrap();

    let kept: Vec<(uuid::Uuid, serde_json::Value, String)> =
        sqlx::query_as("SELECT id, payload, trace FROM jobs.job ORDER BY id")
            .fetch_all(&mut app.database.connect().await)
            .await
            .unwrap();
    assert_eq!(kept, expected);
    for (number, text) in texts.iter().enumerate() {
        let name = format!("SELECT name FROM unit WHERE code = 'at_{number}' AND decimals = 6");
        let name = door.read(async |tx| text_of(tx, &name).await).await;
        assert_eq!(name.unwrap(), *text);
    }
}

#[actix_web::test]
async fn a_text_that_nothing_can_hold_is_refused_before_anything_is_sent() {
    let database = Scratch::with_lane_of(1).await;
    let wire = Wire::to(&database).await;
    let app = TestApp::start_on(database, &[("TUBEX_DATABASE__URL", wire.url())]).await;
    let door = app.door(&app.dealer().await).await;
    wire.record();

    for (payload, trace) in [
        (json!("\0"), None),
        (json!({"deep": ["a\0b"]}), None),
        (json!({"\0": 1}), None),
        (json!(1), Some("\0".to_owned() + "47")),
    ] {
        let how = || Enqueue::now().trace(trace.clone());
        let told = door
            .write(async |tx| {
                add(tx, "at_once")?;
                enqueue(tx, &Carried(payload.clone()), how()).await
            })
            .await;
        // Whoever doesn't mind commits nothing, as after any refusal.
        let ignored = door
            .write(async |tx| {
                add(tx, "at_once")?;
                let refused = enqueue(tx, &Carried(payload.clone()), how()).await;
                assert!(refused.is_err());
                Ok::<_, DbErr>(())
            })
            .await;

        let told = told.expect_err("no text can hold it");
        assert_eq!(failure_of(&told), Failure::Unstorable, "{payload}");
        assert!(ignored.is_err(), "{payload}");
    }

    let asked = wire.asked_by_lanes();
    let was_sent = |asked: &Asked| matches!(asked, Asked::Query(sql) if sql.contains("at_once"));
    assert!(!asked.iter().any(was_sent), "{asked:#?}");
    assert_eq!(units_of(&door).await, "");
    assert_eq!(jobs(&app).await, 0);
}
