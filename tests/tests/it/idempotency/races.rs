//! Many at once with one key.

use tests::TestApp;

use super::{assert_replayed, item, item_records, items, post};

#[actix_web::test]
async fn of_twenty_at_once_one_is_done_and_the_others_wait_or_are_answered_the_same() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;

    let body = item("A");
    let under_way: Vec<_> = (0..20)
        .map(|_| {
            let (who, body) = (acme.owner.clone(), body.clone());
            actix_web::rt::spawn(async move { post(&who, "/items", "k", &body).await })
        })
        .collect();
    let mut replies = Vec::new();
    for reply in under_way {
        replies.push(reply.await.unwrap());
    }

    let is_replay = |reply: &&tests::Reply| !reply.header("idempotency-replayed").is_empty();
    let created: Vec<_> = replies.iter().filter(|reply| reply.status == 201).collect();
    let anew = created.iter().filter(|reply| !is_replay(reply)).count();
    assert_eq!(anew, 1);
    for reply in replies.iter().filter(|reply| reply.status != 201) {
        assert_eq!(
            (reply.status.as_u16(), reply.problem()),
            (409, "idempotency_key_busy")
        );
        assert_eq!(reply.header("retry-after"), "1");
    }
    assert_eq!((items(&app).await, item_records(&app).await), (1, 1));
    let first = created.iter().find(|reply| !is_replay(reply)).unwrap();
    assert_replayed(first, &post(&acme, "/items", "k", &body).await);
}

#[actix_web::test]
async fn a_request_that_is_being_done_is_not_begun_again() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    // Somebody holds what the request needs: it waits in the middle of its work.
    let schema = app.database.schema_of("acme").await;
    let mut holder = app.database.connect().await;
    let lock = format!("BEGIN; LOCK TABLE {schema}.item IN SHARE MODE");
    sqlx::raw_sql(sqlx::AssertSqlSafe(lock))
        .execute(&mut holder)
        .await
        .unwrap();

    let (one, body) = (acme.owner.clone(), item("A"));
    let under_way = actix_web::rt::spawn(async move { post(&one, "/items", "k", &body).await });
    let waits = "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
         WHERE d.datname = current_database() AND NOT l.granted";
    let mut looking = app.database.connect().await;
    tests::eventually("the first is in the middle", async || {
        let waiting = sqlx::query_scalar::<_, i64>(waits);
        waiting.fetch_one(&mut looking).await.unwrap() > 0
    })
    .await;
    let meanwhile = post(&acme, "/items", "k", &item("A")).await;
    sqlx::raw_sql("COMMIT").execute(&mut holder).await.unwrap();

    assert_eq!(meanwhile.problem(), "idempotency_key_busy");
    let first = under_way.await.unwrap().expect(201);
    assert_replayed(&first, &post(&acme, "/items", "k", &item("A")).await);
    assert_eq!(items(&app).await, 1);
}
