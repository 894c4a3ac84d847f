//! Whoever doesn't take what they are sent.

use tests::{EventStream, Scratch, TestApp};

use super::{head, ids, log_after};

/// Tells of so many things at once, as large as events are not.
pub async fn tell_many(database: &Scratch, schema: &str, count: i64) {
    let tell = format!(
        "BEGIN;
         INSERT INTO {schema}.event (id, kind, topic, at, data)
         SELECT h.last_id + n, 'item.updated', 'items', now(),
             jsonb_build_object('id', repeat('x', 5000), 'changed', '[]'::jsonb)
         FROM {schema}.event_head h, generate_series(1, {count}) n ORDER BY n;
         UPDATE {schema}.event_head SET last_id = last_id + {count};
         COMMIT"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(tell))
        .execute(&mut database.connect().await)
        .await
        .unwrap();
}

#[actix_web::test]
async fn a_slow_reader_is_told_so_and_misses_nothing() {
    let keys = [("TUBEX_LIVE__BUFFER", "64"), ("TUBEX_LIVE__LOOK_MS", "50")];
    let app = TestApp::start_with(&keys).await;
    let acme = app.dealer().await;
    super::new_unit(&acme, "first").await;
    let schema = app.database.schema_of("acme").await;
    let begin = head(&app, &acme).await;
    let mut slow = EventStream::open(&acme, "/events", None).await;
    let mut quick = EventStream::open(&acme, "/events", None).await;

    // Far more than sockets and buffers hold: what isn't read waits in the log alone.
    for _ in 0..12 {
        tell_many(&app.database, &schema, 200).await;
        let last = head(&app, &acme).await.to_string();
        quick.until(|heard| heard.id == last).await;
    }
    let last = head(&app, &acme).await.to_string();
    let heard = slow
        .until(|heard| heard.id == last && heard.event.contains('.'))
        .await;

    let behind = heard.iter().filter(|heard| heard.event == "resync");
    let behind: Vec<_> = behind.collect();
    assert!(!behind.is_empty(), "nobody was slow");
    assert!(behind.iter().all(|it| it.data["reason"] == "behind"));
    assert_eq!(ids(&heard), log_after(&app.database, "acme", begin).await);
}
